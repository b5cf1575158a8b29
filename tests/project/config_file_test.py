"""Our reader of `.testr.conf` beside Python's configparser, which is testr's: hand-written and generated files.

Usage: config_file_test.py CONF_TOOL [SEED]
"""

import configparser
import json
import random
import re
import subprocess
import sys

HAND_WRITTEN = [
    "",
    "\n\n",
    "# nothing\n; at all\n",
    "[DEFAULT]",
    "[DEFAULT]\n",
    "[DEFAULT]\nkey=value",
    "[DEFAULT]\nkey=value\n",
    "[DEFAULT]\r\nkey=value\r\nother: value\r\n",
    "[DEFAULT]\rkey=value\rother: value",
    "[DEFAULT]\nKEY = value \n",
    "[DEFAULT]\nkey=\n",
    "[DEFAULT]\nkey\n",
    "[DEFAULT]\nkey =\n  \n  second\n\n  third\n\n\nother = x\n",
    "[DEFAULT]\nkey = first\n  # a comment\n  second\n; another\n  third\n",
    "[DEFAULT]\nkey = a # no comment\nother = b ; none either\n",
    "[DEFAULT]\n  key = indented\n  other = so too\n    goes on\n  third = x\n",
    "[DEFAULT]\n  key = a\nother = b\n c\n",
    "[DEFAULT]\nkey = a\n\tb\n        c\n",
    "[DEFAULT]\nkey = a\n [DEFAULT]\n b = c\n",
    "[DEFAULT]\n indented\n",
    "[DEFAULT]\nkey = a\n[DEFAULT]\nother = b\n",
    "[DEFAULT]\nkey = a\n[DEFAULT]\nkey = b\n",
    "[DEFAULT]\nkey = a\nKey: b\n",
    "[one]\nkey = a\n[two]\nkey = b\n[DEFAULT]\nkey = c\n",
    "[one]\n[one]\n",
    "[one]\nkey=a\nkey=b\n",
    "[one]\nkey=%\n[DEFAULT]\nkey=%%\n",
    "key = a\n",
    "  [DEFAULT]\nkey = a\n  b\n",
    "[DEFAULT] # behind\nkey = a\n",
    "[DEFAULT]]\nkey = a\n",
    "[]\nkey=a\n",
    "[]]\nkey=a\n",
    "[x\nkey=a\n",
    "[DEFAULT]\n[x = 1\n",
    "[DEFAULT]\n= value\n",
    "[DEFAULT]\n= value\n: other\n",
    "[DEFAULT]\nno key\nkey = a\nkey = b\n",
    "[DEFAULT]\na=b=c:d\ne : f = g\nh=:i\n",
    "[DEFAULT]\nkey with blanks = value with blanks\n",
    "[DEFAULT]\na=100%%\n",
    "[DEFAULT]\na=100%\n",
    "[DEFAULT]\na=%(b)s\nb=c\n",
    "[DEFAULT]\na=%(B)s and %(b)s\nB=c%%d\n",
    "[DEFAULT]\na=%(b)s\n",
    "[DEFAULT]\na=%(b)\nb=1\n",
    "[DEFAULT]\na=%()s\n",
    "[DEFAULT]\na=%(b\nb=1\n",
    "[DEFAULT]\na=%(b)d\nb=1\n",
    "[DEFAULT]\na=%s %d\n",
    "[DEFAULT]\na=%%(b)s %%%(b)s\nb=1\n",
    "[DEFAULT]\na=%(a)s\n",
    "[DEFAULT]\na=%(b)s\nb=%(a)s\n",
    "[DEFAULT]\n" + "".join(f"k{i}=%(k{i + 1})s\n" for i in range(12)) + "k12=end%%\n",
    "[DEFAULT]\n" + "".join(f"k{i}=%(k{i + 1})s\n" for i in range(12)) + "k12=end\n",
    "[DEFAULT]\na=x\n  %(b)s\n  y\nb=p\n  q\n",
    "[DEFAULT]\na=%(b\n  c)s\nb=1\n",
    "[DEFAULT]\nschlüssel = wert mit ümlaut\n",
    "[DEFAULT]\nkey =\u00a0value\u2003\n\u00a0goes on\n\u3000\u3000and on\n",
    "[DEFAULT]\nkey = a\x1fb\x0cc\n\x0b d\n\x1d\n",
    "[DEFAULT]\nkey = a\u0085b\u2028c\n",
    "[DEFAULT]\nserver_command=hearth serve ./a ./b\ntest_command=hearth stream $LISTOPT $IDOPTION\n"
    "test_id_option=--load-list $IDFILE\ntest_list_option=--list\ngroup_regex=([^\\.]+\\.)+\n",
    "[DEFAULT]\ntest_command=${PYTHON:-python} -m subunit.run \\\n    discover -t ./ ./tests \\\n"
    "    $LISTOPT $IDOPTION\n",
]

PIECES = [
    "[DEFAULT]", "[DEFAULT]", "[one]", "[two]", "[", "]", "key", "KEY", "a", "b", "c", "A", "=", "=", ":", " = ", " ",
    "  ", "\t", "\n", "\n", "\n", "\n", "\n ", "\n  ", "\n\t", "\r\n", "\r", "#", ";", "%", "%%", "%(a)s", "%(b)s",
    "%(C)s", "%(", ")s", "value", "two words", "\u00a0", "\u2003", "\x1c", "\x0c", "é", "日本", "$COMMAND", "'", '"', "\\",
]


def generated(random_source):
    text = "[DEFAULT]\n" if random_source.random() < 0.8 else ""
    if random_source.random() < 0.5:
        return text + "".join(random_source.choices(PIECES, k=random_source.randint(1, 30)))
    for _ in range(random_source.randint(1, 8)):
        indent = random_source.choice(["", "", "", " ", "  ", "\t", "    "])
        key = random_source.choice(["a", "b", "c", "d", "e", "F", "g h", "# x", "[one]", "[DEFAULT]", ""])
        delimiter = random_source.choice(["=", ":", " = ", " : ", "", "= "])
        value = "".join(random_source.choices(["x", " ", "%%", "%(a)s", "%(b)s", "=", "#", ";", "%(f)s", "y z"],
                                              k=random_source.randint(0, 4)))
        text += indent + key + delimiter + value + random_source.choice(["\n", "\n", "\n\n", "\r\n", "\n  more\n"])
    return text


def lines_of(error):
    """The lines that an error of configparser's may be about."""
    if isinstance(error, configparser.ParsingError) and not isinstance(error, configparser.MissingSectionHeaderError):
        return {line for line, _ in error.errors[:1]}
    return {error.lineno}


def python_reading(text):
    parser = configparser.ConfigParser()
    # As open() has it: every kind of line end is a newline.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    try:
        parser.read_file([line + "\n" for line in lines[:-1]] + lines[-1:])
    except configparser.Error as error:
        return {"lines": lines_of(error)}
    values = {}
    for key in parser.defaults():
        try:
            values[key] = {"value": parser.get("DEFAULT", key)}
        except configparser.Error:
            values[key] = {"error": True}
    return {"values": values}


def difference(text, ours):
    theirs = python_reading(text)
    if "lines" in theirs:
        if "error" not in ours:
            return f"Python finds an error in {theirs['lines']}, we none: {ours}"
        line = re.match(r"read line (\d+) of FILE: ", ours["error"])
        if not line or int(line.group(1)) not in theirs["lines"]:
            return f"Python finds an error in {theirs['lines']}, we: {ours['error']}"
        return None
    if "error" in ours:
        return f"only we find an error: {ours['error']}"
    if theirs["values"].keys() != ours["values"].keys():
        return f"keys: Python {list(theirs['values'])}, we {list(ours['values'])}"
    for key, value in theirs["values"].items():
        our = ours["values"][key]
        if "error" in value:
            if "error" not in our or f"'{key}' in line " not in our["error"]:
                return f"{key}: Python finds an error, we: {our}"
        elif our != value:
            return f"{key}: Python {value}, we {our}"
    return None


def compare(name, tool, texts):
    output = subprocess.run([tool], input=json.dumps(texts), capture_output=True, text=True, check=True).stdout
    readings = json.loads(output)
    assert len(readings) == len(texts)
    wrong = [(text, found) for text, ours in zip(texts, readings) if (found := difference(text, ours))]
    good = sum("values" in reading and bool(reading["values"]) for reading in readings)
    for text, found in wrong[:5]:
        print(f"# {text!r}:\n#   {found}")
    print(f"{'not ok' if wrong or not good else 'ok'} - {name}: {len(texts)} files, {good} of them with values")
    return not wrong and good > 0


def main():
    tool = sys.argv[1]
    random_source = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    print("1..2")
    fine = compare("hand-written files read as by Python's configparser", tool, HAND_WRITTEN)
    texts = [generated(random_source) for _ in range(20_000)]
    fine &= compare("generated files read as by Python's configparser", tool, texts)
    return 0 if fine else 1


sys.exit(main())
