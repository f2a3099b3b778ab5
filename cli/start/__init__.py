"""`orgscan start`: one scan, asked for by a person or a pipeline, and followed to its end.

command     options, exit codes
request     options -> the input of an execution, refused before anything starts
execution   the deployment's state machine and its executions, as AWS tells them
follow      looking again and again
show        for people, and for machines
"""
