"""OpenSSH's sshd on loopback, with keys, configuration and a home of its own in a temporary folder, and a login that says
more than it should: a banner, and a .profile and a .bashrc that print on both streams.

Needs no privileges: without root it lets in whoever runs it. Each connection has an sshd of its own (`sshd -i`), so that
there is no port to choose and nothing to wait for.
"""

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import threading

HOST = "box"  # the name that the client's configuration knows; and box1, box2

SSHD_CONFIG = """HostKey {0}/host
AuthorizedKeysFile {0}/authorized
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AllowTcpForwarding yes
AllowStreamLocalForwarding yes
StreamLocalBindUnlink yes
PrintMotd no
AcceptEnv HEARTH_E2E
Banner {0}/banner
ForceCommand /bin/sh {0}/login
"""

SSH_CONFIG = """Host {1} {1}1 {1}2
HostName 127.0.0.1
Port {2}
User {3}
IdentityFile {0}/key
IdentitiesOnly yes
StrictHostKeyChecking no
UserKnownHostsFile {0}/known
GlobalKnownHostsFile none
"""

# What sshd does at a login, in a home that is not the user's own.
LOGIN = """HOME={0}/home
export HOME
unset SHLVL HISTFILE
cd "$HOME"
[ -n "$SSH_ORIGINAL_COMMAND" ] && exec /bin/bash -l -c "$SSH_ORIGINAL_COMMAND"
exec /bin/bash -l
"""

PROFILE = b"""PATH=$HOME/bin:$PATH
echo "Welcome to $(uname -n)! Temperature: 21 \xb3C"
echo "last login: never" >&2
[ -f ~/.bashrc ] && . ~/.bashrc
"""

BASHRC = b"""echo "loading modules: gcc/12 cmake/3.25"
printf 'no newline behind this'
"""

# Words of the three that a client may look for.
BANNER = "Authorized use only."
GREETING = b"Welcome to"


class Unavailable(Exception):
    """Says what is missing."""


def find_sshd():
    sshd = shutil.which("sshd", path="/usr/sbin:/usr/bin")
    if not sshd or not shutil.which("ssh"):
        raise Unavailable("no sshd or ssh (Debian's packages openssh-server, openssh-client)")
    if os.geteuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)  # what its service makes
    return sshd


class Sshd:
    """In a `with`. `ssh` is the beginning of a command line that goes there; the home's bin is in the login's PATH."""

    def __init__(self):
        self.m_sshd = find_sshd()
        self.path = tempfile.mkdtemp(prefix="hearth-sshd-")
        self.home = os.path.join(self.path, "home")
        self.bin = os.path.join(self.home, "bin")
        os.makedirs(self.bin)
        self.m_listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.m_listener.getsockname()[1]
        self.config = self.file("ssh_config")
        self.ssh = self.ssh_with()
        self.m_make_files()
        self.m_sessions = []
        self.m_thread = threading.Thread(target=self.m_serve, daemon=True)
        self.m_thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.m_listener.shutdown(socket.SHUT_RDWR)  # ends the accept
        self.m_thread.join()
        self.m_listener.close()
        for session in self.m_sessions:
            session.terminate()
            session.wait()
        shutil.rmtree(self.path, ignore_errors=True)

    def file(self, name):
        return os.path.join(self.path, name)

    def ssh_with(self, *options):
        return ["ssh", "-F", self.config, "-o", "BatchMode=yes", "-T", *options, HOST]

    def put(self, *executables):
        """Into the login's PATH."""
        for path in executables:
            os.symlink(os.path.abspath(path), os.path.join(self.bin, os.path.basename(path)))

    def log(self):
        with open(self.file("log"), encoding="utf-8", errors="replace") as log:
            return log.read()

    def m_make_files(self):
        for name in "host", "key":
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.file(name)], check=True)
        shutil.copy(self.file("key.pub"), self.file("authorized"))
        texts = {"sshd_config": SSHD_CONFIG.format(self.path), "login": LOGIN.format(self.path), "log": "",
                 "ssh_config": SSH_CONFIG.format(self.path, HOST, self.port, getpass.getuser()), "banner": BANNER + "\n"}
        for name, text in texts.items():
            with open(self.file(name), "w", encoding="utf-8") as file:
                file.write(text)
        for name, content in {".profile": PROFILE, ".bashrc": BASHRC}.items():
            with open(os.path.join(self.home, name), "wb") as file:
                file.write(content)

    def m_serve(self):
        while True:
            try:
                connection = self.m_listener.accept()[0]
            except OSError:
                return
            with connection:
                self.m_sessions.append(subprocess.Popen(
                    [self.m_sshd, "-i", "-f", self.file("sshd_config"), "-E", self.file("log")], stdin=connection,
                    stdout=connection, stderr=subprocess.DEVNULL))
            self.m_sessions = [session for session in self.m_sessions if session.poll() is None]
