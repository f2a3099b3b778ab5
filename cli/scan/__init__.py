"""`orgscan scan`: a scan from this machine, with credentials of its user, without anything deployed.

command     options, exit codes
caller      who asks, or why nobody can
scope       options -> which accounts, and how they are entered
store       what is known between scans, in a file
run         targets side by side, until all are done or somebody interrupts
publish     what the scan came to, as a folder
baseline    what is new or worse than an earlier scan
show        for people
"""
