"""Holds commands to the AWS CLI's own tables: reads one a line, its words without `aws` and a unit separator between them, and prints the number and the fault of each that it does not know.

Argument: `whole` for commands that have to have every required option, `mention` for those that are only named. Ends with 3 where there is no AWS CLI."""
import sys

try:
    from awscli.clidriver import create_clidriver
except ImportError:
    sys.exit(3)

driver = create_clidriver()
services = driver.create_help_command().command_table
everywhere = set(driver._get_argument_table())


def fault(words, whole):
    table, command = services, None
    while words and words[0].startswith("--") and words[0][2:] in everywhere:                      # aws --region us-east-1 s3 ls
        words = words[2:]
    while words and not words[0].startswith("--") and table:
        if words[0] not in table:
            return f"there is no {words[0]}"
        command = table[words[0]]
        help_command = command.create_help_command()
        table, words = getattr(help_command, "command_table", None) or {}, words[1:]
    if command is None or table:
        return "not a whole command"
    options = command.arg_table
    given = {word.split("=")[0][2:] for word in words if word.startswith("--")}
    for name in given - everywhere:
        if name not in options:
            return f"there is no --{name}"
    missing = [name for name, option in options.items() if getattr(option, "required", False) and name not in given and not getattr(option, "positional_arg", False)]
    return f"--{missing[0]} is missing" if whole and missing else None


for number, line in enumerate(sys.stdin):
    found = fault(line.rstrip("\n").split("\x1f"), sys.argv[1] == "whole")
    if found:
        print(number, found, sep="\t")
