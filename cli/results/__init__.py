"""What scans came to, for people at a terminal: of a deployed stack, or of a folder on this machine.

source      where scans lie, and which one is meant
options     what all commands ask for
wanted      which findings, in which order and groups
listing     findings on a terminal or in a pipe
formats     findings as CSV and Markdown
findings    `orgscan findings`
page        all that is known of one finding, `orgscan show`
status      `orgscan status`
compare     two scans, told apart; diff: `orgscan diff`
trend       many scans, added up; history: `orgscan history`
splice      an entry into orgscan.yaml, and nothing else of it; suppress: `orgscan suppress`
report      `orgscan report`
"""
