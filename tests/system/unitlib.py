"""The daemon as its unit would run it, where no systemd is: the user, the credential, the directories, no privileges, a
read-only file system and the same filters of system calls.

Run as a program it is the last step before the daemon: unitlib.py UNIT COMMAND... puts the filters on and becomes COMMAND."""
import ctypes
import errno
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys

ALLOW, KILL = 0x7FFF0000, 0x80000000
NE, LT, EQ, GT, MASKED_EQ = 1, 2, 4, 6, 7  # enum scmp_compare
PROT_WRITE, PROT_EXEC = 2, 4
NAMESPACES = {"CLONE_NEWCGROUP": 0x02000000, "CLONE_NEWUTS": 0x04000000, "CLONE_NEWIPC": 0x08000000,
              "CLONE_NEWUSER": 0x10000000, "CLONE_NEWPID": 0x20000000, "CLONE_NEWNET": 0x40000000, "CLONE_NEWNS": 0x00020000}
FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10}


def directives(path):
    """{name: [value, ...]} of [Service]."""
    found, section = {}, ""
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line
        elif section == "[Service]" and "=" in line and line[0] not in "#;":
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


class Argument(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


class Filter:
    """One seccomp filter; every filter that was loaded counts."""
    lib = None

    def __init__(self, default):
        if not Filter.lib:
            Filter.lib = ctypes.CDLL("libseccomp.so.2", use_errno=True)
            Filter.lib.seccomp_init.restype = ctypes.c_void_p
        self.context = ctypes.c_void_p(self.lib.seccomp_init(ctypes.c_uint32(default)))

    def add(self, action, call, *arguments):
        number = self.lib.seccomp_syscall_resolve_name(call.encode())
        if number < 0:
            return  # not of this architecture
        array = (Argument * len(arguments))(*arguments)
        rc = self.lib.seccomp_rule_add_array(self.context, ctypes.c_uint32(action), number, len(arguments), array)
        if rc:
            raise OSError(-rc, f"seccomp rule for {call}")

    def load(self):
        rc = self.lib.seccomp_load(self.context)
        if rc:
            raise OSError(-rc, "seccomp_load")


def refuse(number):
    return 0x00050000 | number


def call_groups():
    """{"@group": [call or "@group", ...]} as this systemd has them."""
    listed = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager"], capture_output=True, text=True, check=True)
    groups, group = {}, None
    for line in listed.stdout.splitlines():
        word = line.strip()
        if line.startswith("@"):
            group = groups.setdefault(word, [])
        elif line.startswith(" ") and word and not word.startswith("#") and group is not None:
            group.append(word)
    return groups


def allowed_calls(unit):
    groups = call_groups()

    def spread(word):
        return {c for w in groups[word] for c in spread(w)} if word.startswith("@") else {word}

    allowed = spread("@default")
    for value in unit["SystemCallFilter"]:
        words = {c for w in value.lstrip("~").split() for c in spread(w)}
        allowed = allowed - words if value.startswith("~") else allowed | words
    return allowed


def put_filters_on(unit):
    only = Filter(KILL)
    for call in sorted(allowed_calls(unit)):
        only.add(ALLOW, call)
    rest = Filter(ALLOW)
    families = sorted(FAMILIES[f] for f in unit["RestrictAddressFamilies"][0].split())
    for family in range(families[0], families[-1]):
        if family not in families:
            rest.add(refuse(errno.EAFNOSUPPORT), "socket", Argument(0, EQ, family))
    rest.add(refuse(errno.EAFNOSUPPORT), "socket", Argument(0, LT, families[0]))
    rest.add(refuse(errno.EAFNOSUPPORT), "socket", Argument(0, GT, families[-1]))
    if unit["MemoryDenyWriteExecute"] == ["yes"]:
        both = PROT_WRITE | PROT_EXEC
        rest.add(refuse(errno.EPERM), "mmap", Argument(2, MASKED_EQ, both, both))
        rest.add(refuse(errno.EPERM), "mprotect", Argument(2, MASKED_EQ, PROT_EXEC, PROT_EXEC))
    if unit["RestrictNamespaces"] == ["yes"]:
        rest.add(refuse(errno.ENOSYS), "clone3")  # its flags lie in memory
        rest.add(refuse(errno.EPERM), "setns")
        for flag in NAMESPACES.values():
            rest.add(refuse(errno.EPERM), "clone", Argument(0, MASKED_EQ, flag, flag))
            rest.add(refuse(errno.EPERM), "unshare", Argument(0, MASKED_EQ, flag, flag))
    rest.load()
    only.load()


class Service:
    """root: the directory that is the machine; unit: path of the unit in it."""

    def __init__(self, root, unit="/lib/systemd/system/tieline.service"):
        self.root, self.unit, self.process = pathlib.Path(root), unit, None
        self.settings = directives(self.root / unit.lstrip("/"))
        self.log_path = self.root / "run/tielined.log"

    def account(self):
        for line in (self.root / "etc/passwd").read_text(encoding="utf-8").splitlines():
            fields = line.split(":")
            if fields[0] == self.settings["User"][0]:
                return pwd.struct_passwd(fields[:2] + [int(fields[2]), int(fields[3])] + fields[4:])
        raise KeyError(f"there is no user {self.settings['User'][0]}")

    def directories(self):
        user, made = self.account(), {}
        for kind, base in (("State", "var/lib"), ("Runtime", "run")):
            made[kind] = self.root / base / self.settings[f"{kind}Directory"][0]
            made[kind].mkdir(exist_ok=True)
            made[kind].chmod(int(self.settings[f"{kind}DirectoryMode"][0], 8))
            os.chown(made[kind], user.pw_uid, user.pw_gid)
        return user, made["State"]

    def credential(self, user):
        name, source = self.settings["LoadCredential"][0].split(":")
        place = self.root / "run/credentials/tieline.service"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        shutil.copyfile(self.root / source.lstrip("/"), place / name)
        for path, mode in ((place / name, 0o400), (place, 0o500)):
            os.chown(path, user.pw_uid, user.pw_gid)
            path.chmod(mode)

    def start(self):
        """Returns once the daemon has said that it is ready, or raises with what it said instead."""
        user, state = self.directories()
        self.credential(user)
        notify = self.root / "run/notify"
        notify.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s, open(self.log_path, "a", encoding="utf-8") as log:
            s.bind(str(notify))
            notify.chmod(0o666)
            inside = "/run/unitlib.py"
            shutil.copyfile(__file__, self.root / inside.lstrip("/"))
            closed = (f"mount --bind {state} {state} && mount -o remount,bind,ro {self.root} && exec chroot {self.root} "
                      f"setpriv --reuid={user.pw_uid} --regid={user.pw_gid} --clear-groups --inh-caps=-all "
                      f"--bounding-set=-all --no-new-privs python3 -B {inside} {self.unit} {self.settings['ExecStart'][0]}")
            self.process = subprocess.Popen(
                ["unshare", "-m", "sh", "-c", closed], stdin=subprocess.DEVNULL, stdout=log, stderr=log, umask=0o077,
                env={"PATH": "/usr/sbin:/usr/bin", "CREDENTIALS_DIRECTORY": "/run/credentials/tieline.service",
                     "NOTIFY_SOCKET": "/run/notify"})
            s.settimeout(0.1)
            while True:
                try:
                    if b"READY=1" in s.recv(200):
                        return
                except TimeoutError:
                    if self.process.poll() is not None:
                        raise RuntimeError(f"ended with {self.process.returncode}:\n{self.log()}") from None

    def log(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
        return self.process and self.process.returncode


if __name__ == "__main__":
    put_filters_on(directives(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])
