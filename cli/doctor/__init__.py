"""`orgscan doctor`: what stands between the configuration and a complete scan, and how to mend it.

command     options, exit codes
examine     everything in its order
ask, visit  AWS's answers as facts, where each may be a Gap: the hub's, and those of accounts
facts       what was learnt
judge_*     facts -> problems: pure
show        for people, and for machines
"""
