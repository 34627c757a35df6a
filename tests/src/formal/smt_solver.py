"""Bitwuzla as yosys-smtbmc calls it: SMT-LIB commands come in, answers go out. PyPI's package has the solver without its program."""

import sys

import bitwuzla


def commands(lines):
    """Whole commands, each as one text."""
    text, depth, quoted = [], 0, False
    for line in lines:
        text.append(line)
        if '|' in line or ';' in line:
            for character in line:
                if character == '|':
                    quoted = not quoted
                elif quoted:
                    continue
                elif character == ';':
                    break
                elif character == '(':
                    depth += 1
                elif character == ')':
                    depth -= 1
        elif not quoted:
            depth += line.count('(') - line.count(')')
        if depth == 0 and not quoted:
            yield ''.join(text)
            text = []


def main():
    if '--help' in sys.argv:
        print('SMT-LIB commands come in on standard input')
        return
    options = bitwuzla.Options()
    options.set(bitwuzla.Option.PRODUCE_MODELS, True)
    parser = bitwuzla.Parser(bitwuzla.TermManager(), options)
    for command in commands(sys.stdin):
        if command.strip() == '(exit)':
            break
        parser.parse(command, False, False)
        sys.stdout.flush()


main()
