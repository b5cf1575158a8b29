"""`hearth init`, and the file that it writes, with `hearth run` and unmodified testr beside each other.

Usage: init_test.py HEARTH PASSES FAILS; the programs' tests all pass, and all fail.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import traceback

HEARTH, PASSES, FAILS = (os.path.abspath(path) for path in sys.argv[1:4])


def run(*command, directory, code=0, stdin=None):
    environment = dict(os.environ, PATH=os.path.dirname(HEARTH) + ":/usr/bin:/bin", NO_COLOR="1")
    done = subprocess.run(command, cwd=directory, env=environment, stdin=stdin or subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == code, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done


def hearth(*arguments, directory, code=0):
    return run(HEARTH, *arguments, directory=directory, code=code)


def write(directory, text):
    with open(os.path.join(directory, ".testr.conf"), "w", encoding="utf-8") as file:
        file.write(text)


def read(directory):
    with open(os.path.join(directory, ".testr.conf"), encoding="utf-8") as file:
        return file.read()


def lines(text):
    return sorted(line for line in text.splitlines() if line)


def test_file_works_with_hearth_and_testr(directory):
    """The file works with hearth run and with unmodified testr, and both find the same"""
    odd = os.path.join(directory, "100% of $HOME")
    os.symlink(FAILS, odd)
    fails = f"fails='{odd}'"
    hearth("init", "--env", "ODD=a%b 'c' $d", PASSES, fails, directory=directory)
    listed = lines(hearth("list", directory=directory).stdout)
    assert any(id_.startswith("fails.") for id_ in listed), listed
    hearth("run", "--no-history", directory=directory, code=1)

    run("testr", "init", directory=directory)
    shown = lines(run("testr", "list-tests", directory=directory).stdout)
    assert [line for line in shown if not line.startswith("running=")] == listed, shown
    failing = [id_ for id_ in listed if id_.startswith("fails.")]
    for options in ([], ["--parallel"], ["--failing"]):
        run("testr", "run", *options, directory=directory, code=1)
        assert lines(run("testr", "failing", "--list", directory=directory, code=1).stdout) == failing
    run("testr", "run", "^" + os.path.basename(PASSES), directory=directory, code=0)


def test_file_that_is_there_is_not_touched(directory):
    """A file with a server_command is not touched"""
    text = "[DEFAULT]\nserver_command = other\n"
    write(directory, text)
    for options in ([], ["--add"]):
        assert "has a server_command" in hearth("init", *options, PASSES, directory=directory, code=2).stderr
        assert read(directory) == text


def test_file_without_our_key_is_left_alone(directory):
    """A file without server_command is left alone: run and init say what to add, --add adds it"""
    text = "# mine\n[DEFAULT]\ntest_command=mine $LISTOPT\ntest_list_option=-l\n"
    write(directory, text)
    os.chmod(os.path.join(directory, ".testr.conf"), 0o640)
    assert "hearth init --add" in hearth("run", directory=directory, code=2).stderr
    told = hearth("init", PASSES, directory=directory, code=2).stderr
    line = f"server_command=hearth serve {PASSES}\n"
    assert line in told and "test_id_option" not in told, told
    assert read(directory) == text
    hearth("init", "--add", PASSES, directory=directory)
    assert read(directory) == text.replace("[DEFAULT]\n", "[DEFAULT]\n" + line)
    assert os.stat(os.path.join(directory, ".testr.conf")).st_mode & 0o777 == 0o640
    hearth("run", "--no-history", directory=directory)


def test_broken_file(directory):
    """A broken file is named, with line and key, and not touched"""
    write(directory, "[DEFAULT]\n\nserver_command=50%\n")
    for command in (["run"], ["list"], ["stream"], ["init", PASSES], ["init", "--add", PASSES]):
        told = hearth(*command, directory=directory, code=2).stderr
        assert "'server_command' in line 3 of .testr.conf" in told, told
    assert read(directory) == "[DEFAULT]\n\nserver_command=50%\n"


def test_no_file_and_no_program(directory):
    """Where there is neither a file nor a program, the way out is named"""
    assert "hearth init PROGRAM..." in hearth("run", directory=directory, code=2).stderr
    hearth("init", directory=directory, code=2)
    assert not os.path.exists(os.path.join(directory, ".testr.conf"))


def test_program_that_cannot_be_read(directory):
    """A program that no server could read is not written down"""
    assert "quote" in hearth("init", "it's", directory=directory, code=2).stderr
    assert not os.path.exists(os.path.join(directory, ".testr.conf"))


def test_directory_that_cannot_be_written(directory):
    """A directory that cannot be written to is named"""
    told = hearth("init", "-C", "/proc/self", PASSES, directory=directory, code=2).stderr
    assert "/proc/self/.testr.conf" in told, told


def test_instances(directory):
    """Servers run in the instances that were provided, which are disposed of at the end"""
    hearth("init", PASSES, FAILS, directory=directory)
    with open(os.path.join(directory, ".testr.conf"), "a", encoding="utf-8") as file:
        file.write("instance_provision=echo provide $INSTANCE_COUNT >> log; seq $INSTANCE_COUNT\n"
                   "instance_execute=echo in $INSTANCE_ID >> log; WHERE=$INSTANCE_ID $COMMAND\n"
                   "instance_dispose=echo drop $INSTANCE_IDS >> log\n")
    log = os.path.join(directory, "log")
    hearth("run", "--no-history", "--servers", "2", directory=directory, code=1)
    with open(log, encoding="utf-8") as file:
        ours = file.read().splitlines()
    assert ours[0] == "provide 2" and sorted(ours[1:-1]) == ["in 1", "in 2"] and ours[-1] == "drop 1 2", ours


def main():
    tests = [(name, test) for name, test in globals().items() if name.startswith("test_")]
    print(f"1..{len(tests)}", flush=True)
    failed = False
    for number, (name, test) in enumerate(tests, 1):
        directory = tempfile.mkdtemp(prefix="hearth-project-")
        try:
            test(directory)
            print(f"ok {number} - {test.__doc__}", flush=True)
        except Exception:  # the next tests are to run
            failed = True
            print(f"not ok {number} - {test.__doc__}", flush=True)
            print("".join(f"# {line}\n" for line in traceback.format_exc().splitlines()), flush=True)
        finally:
            shutil.rmtree(directory, ignore_errors=True)
    return 1 if failed else 0


sys.exit(main())
