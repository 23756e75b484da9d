"""The Debian packages as an operator meets them: built, installed into a throw-away root (an overlay over this machine's, in
a mount namespace of its own), run as the unit would run them, upgraded, removed, installed again, purged."""
import ctypes
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest
from systemlib import BUILD, ROOT, wait_until
from unitlib import Service

NAMES = ["tieline", "tieline-connectors", "tieline-sandbox", "libtieline-dev"]
KEY, DATA = "etc/tieline/tieline.key", "var/lib/tieline"
NEEDED = ["dpkg-buildpackage", "dh", "lowdown", "systemd-analyze", "unshare", "setpriv"]
missing = [p for p in NEEDED if not shutil.which(p)]
pytestmark = pytest.mark.skipif(bool(missing), reason=f"needs {', '.join(missing)}: tools/install-deps build test")


@pytest.fixture(scope="module")
def packages():
    """{name: path of the .deb}"""
    out = pathlib.Path(BUILD) / "packages"
    built = subprocess.run([ROOT / "tools/packages", "--quick", "--out", out], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return {path.name.split("_")[0]: path for path in map(pathlib.Path, built.stdout.split())}


def field(deb, name):
    return subprocess.run(["dpkg-deb", "-f", deb, name], capture_output=True, text=True, check=True).stdout.strip()


def listed(deb):
    """{path: (mode, owner)}"""
    text = subprocess.run(["dpkg-deb", "-c", deb], capture_output=True, text=True, check=True).stdout
    return {line.split()[5][1:]: tuple(line.split()[:2]) for line in text.splitlines()}


def test_contents(packages):
    assert sorted(packages) == sorted(NAMES)
    files = {name: listed(deb) for name, deb in packages.items()}
    triplet = next(p for p in files["libtieline-dev"] if p.endswith("/libtieline_kit.a")).split("/")[3]
    for name, paths in {
        "tieline": ["/usr/sbin/tielined", "/usr/bin/tieline", "/usr/libexec/tieline/tieline-worker", "/etc/tieline/tieline.ini",
                    "/etc/tieline/conf.d/", "/lib/systemd/system/tieline.service", "/usr/share/man/man1/tieline.1.gz",
                    "/usr/share/man/man8/tielined.8.gz", "/usr/share/bash-completion/completions/tieline",
                    "/usr/share/doc/tieline/README.md",
                    "/usr/share/doc/tieline/docs/vendors.md", "/usr/share/doc/tieline/changelog.gz"],
        "tieline-connectors": [f"/usr/lib/{triplet}/tieline/connectors/{x}.so" for x in ("desk", "finance", "salesforce")],
        "tieline-sandbox": ["/usr/bin/tieline-sandbox", "/usr/share/man/man1/tieline-sandbox.1.gz"],
        "libtieline-dev": ["/usr/include/tieline.h", "/usr/include/tieline/kit/kit.h", "/usr/bin/tieline-sdk",
                           f"/usr/lib/{triplet}/pkgconfig/tieline.pc", f"/usr/lib/{triplet}/cmake/tieline/tieline-config.cmake",
                           "/usr/share/tieline/sdk/template/vendor.py", "/usr/share/tieline/sdk/examples/csvdir/csvdir.c",
                           "/usr/share/man/man3/tieline-kit.3.gz", "/usr/share/man/man3/tieline.h.3.gz",
                           "/usr/share/man/man7/tieline-connector-guide.7.gz"],
    }.items():
        assert set(paths) <= set(files[name]), name
    for name, paths in files.items():
        assert {owner for _, owner in paths.values()} == {"root/root"}
        assert [p for p, (mode, _) in paths.items() if mode[5] == "w" or mode[8] == "w" or "s" in mode] == []
    conffiles = subprocess.run(["dpkg-deb", "-I", packages["tieline"], "conffiles"], capture_output=True, text=True, check=True)
    assert conffiles.stdout.split() == ["/etc/tieline/tieline.ini"]


def test_one_version_and_one_list_of_what_is_needed(packages):
    version = re.search(r"project\(tieline VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")).group(1)
    assert {field(deb, "Version") for deb in packages.values()} == {f"{version}-1"}
    control = (ROOT / "debian/control").read_text(encoding="utf-8")
    needed = subprocess.run([ROOT / "tools/deps", "build"], capture_output=True, text=True, check=True).stdout.split("\n")
    libraries = {line.split()[1] for line in needed if line} - {"gcc", "libc6-dev", "openssl"}
    declared = set(re.findall(r"[a-z0-9.+-]+", control.split("Build-Depends:")[1].split("Standards-Version")[0]))
    assert libraries <= declared, libraries - declared


def test_exposure():
    """What systemd itself thinks of the unit: 1.6 at most."""
    judged = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=16",
                             ROOT / "etc/tieline.service"], capture_output=True, text=True, check=False)
    print(judged.stdout[-200:])
    assert judged.returncode == 0, judged.stdout


@pytest.mark.skipif(not shutil.which("lintian"), reason="needs lintian: tools/install-deps extra")
def test_lint(packages):
    done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error", "--suppress-tags", "hardening-no-fortify-functions",
                           *packages.values()], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


RECORDER = """#!/bin/sh
# The systemctl of a machine that runs systemd, where none does: what works on files is done, the rest is written down.
case "$*" in
--root=*) exec /usr/bin/systemctl.real "$@" ;;
*is-enabled*) exec /usr/bin/systemctl.real --root=/ is-enabled tieline.service ;;
*is-active*) grep -q '^active' /run/active ;;
"show -P ActiveState"*) cat /run/active ;;
*) echo "$*" >>/run/systemctl ;;
esac
"""
SITE = """[core]
development = yes
[connectors]
enable = desk, salesforce
[endpoint desk]
connector = desk
accounts_url = {accounts}
api_url = {desk}
org_id = {credentials[desk][org_id]}
client_id = {credentials[zoho][client_id]}
client_secret = @secret:zoho_client
refresh_token = @secret:zoho_refresh
[endpoint sf]
connector = salesforce
login_url = {login}
instance_url = {salesforce}
client_id = {credentials[salesforce][client_id]}
client_secret = @secret:sf_client
"""


class Machine:
    """A root of its own. What is written to it is gone with it."""

    def __init__(self, scratch):
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(0x00020000):  # CLONE_NEWNS
            raise OSError(ctypes.get_errno(), "unshare")
        self.root = scratch / "root"
        for command in (f"mount --make-rprivate / && mount -t tmpfs none {scratch} && cd {scratch} && mkdir up work root && "
                        "mount -t overlay overlay -o lowerdir=/,upperdir=up,workdir=work root && cd root && "
                        "mount --rbind /proc proc && mount --rbind /dev dev && mount -t tmpfs -o mode=755 none run && "
                        "mount -t tmpfs none tmp && mkdir -p run/systemd/system tmp/debs",):
            subprocess.run(["sh", "-c", command], check=True, capture_output=True, text=True)
        recorder = self.root / "usr/bin/systemctl"
        recorder.rename(recorder.with_suffix(".real"))
        recorder.write_text(RECORDER, encoding="utf-8")
        recorder.chmod(0o755)
        policy = self.root / "usr/sbin/policy-rc.d"  # of a machine that starts services
        policy.write_text("#!/bin/sh\n", encoding="utf-8")
        policy.chmod(0o755)
        self.daemon_runs(False)

    def run(self, *command, check=True, text=None):
        done = subprocess.run(["chroot", self.root, *map(str, command)], input=text, capture_output=True, text=True, check=False,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "HOME": "/root"})
        assert not check or done.returncode in (0, 8), f"{command}:\n{done.stdout}{done.stderr}"
        return done

    def install(self, *debs):
        for deb in debs:
            shutil.copy(deb, self.root / "tmp/debs")
        return self.run("dpkg", "--no-triggers", "-i", *[f"/tmp/debs/{deb.name}" for deb in debs])

    def tieline(self, *words, **rest):
        return self.run("tieline", *words, **rest)

    def items(self, *words):
        return json.loads(self.tieline("--json", *words).stdout)["items"]

    def asked(self):
        """What systemctl was asked since the last time."""
        path = self.root / "run/systemctl"
        words = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [w for w in words if "tieline.service" in w]

    def daemon_runs(self, runs):
        (self.root / "run/active").write_text("active\n" if runs else "inactive\n", encoding="utf-8")


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("needs root: packages are installed into a root of their own")
    try:
        return Machine(tmp_path_factory.mktemp("machine"))
    except (OSError, subprocess.CalledProcessError) as e:
        pytest.skip(f"no root of its own can be made here: {getattr(e, 'stderr', None) or e}")


@pytest.fixture(scope="module")
def service(machine):
    yield (running := {})
    if running:
        running["daemon"].stop()
        running["sandbox"].terminate()


def newer(deb, directory, version, conffile=None):
    """The package again, as a later version."""
    tree = directory / f"{deb.name}-{version}"
    subprocess.run(["dpkg-deb", "-R", deb, tree], check=True)
    control = tree / "DEBIAN/control"
    old = field(deb, "Version")
    control.write_text(re.sub(rf"\b{re.escape(old)}(?=\)|$)", version, control.read_text(encoding="utf-8"), flags=re.M),
                       encoding="utf-8")
    if conffile:
        with open(tree / "etc/tieline/tieline.ini", "a", encoding="utf-8") as f:
            f.write(conffile)
    out = directory / deb.name.replace(old, version)
    subprocess.run(["dpkg-deb", "-Zgzip", "-z1", "--root-owner-group", "-b", tree, out], check=True, stdout=subprocess.DEVNULL)
    return out


def test_install(machine, packages):
    said = machine.install(*packages.values()).stderr
    key = machine.root / KEY
    assert key.stat().st_mode & 0o777 == 0o400 and key.stat().st_uid == 0 and key.stat().st_size >= 32
    assert "made the key /etc/tieline/tieline.key" in said and "apt install tieline-connectors" in said
    assert key.read_bytes().hex() not in said
    assert [w for w in machine.asked() if "start tieline.service" in w], said
    assert machine.run("tielined", "-t").returncode == 0
    user = machine.run("id", "tieline").stdout
    assert "(tieline)" in user and machine.run("getent", "passwd", "tieline").stdout.strip().endswith("/usr/sbin/nologin")


def test_it_syncs(machine, service):
    """The installed daemon, within what its unit allows, with workers in their cells and the installed twins."""
    sandbox = subprocess.Popen(["chroot", machine.root, "tieline-sandbox", "--contacts", "30", "--accounts", "6"],
                               stdout=subprocess.PIPE, text=True)
    at = json.loads(sandbox.stdout.readline())
    (machine.root / "etc/tieline/conf.d/10-site.ini").write_text(SITE.format(**at), encoding="utf-8")
    daemon = Service(machine.root)
    service.update(daemon=daemon, sandbox=sandbox)
    assert machine.tieline("config", "check").returncode == 0
    daemon.start()
    machine.daemon_runs(True)
    keys = at["credentials"]
    for name, value in (("zoho_client", keys["zoho"]["client_secret"]), ("zoho_refresh", keys["zoho"]["refresh_token"]),
                        ("sf_client", keys["salesforce"]["client_secret"])):
        machine.tieline("secret", "set", name, text=value)
    wait_until(lambda: enabled_run(machine), 60, "the connectors run")
    machine.tieline("endpoint", "prepare", "desk", "-y")
    for endpoint in ("desk", "sf"):
        machine.tieline("endpoint", "check", endpoint)
    assert words_in_bash(machine, "endpoint", "check", "") == ["desk", "sf"]
    cells = [c["cell"] for c in machine.items("connector", "show", "desk")]
    machine.tieline("connection", "create", "site", "--a", "desk", "--b", "sf")
    for kind in ("account", "contact"):
        machine.tieline("link", "create", "site", kind, "every=1s")
    machine.tieline("sync", "start", "site", check=False)
    assert pairs(machine)["account"] >= 6 and pairs(machine)["contact"] >= 20, (pairs(machine), cells, daemon.log())


def enabled_run(machine):
    return {c["state"] for c in machine.items("connector", "list") if c["name"] in ("desk", "salesforce")} == {"running"}


def words_in_bash(machine, *words):
    """What the installed completion offers in bash at the last word."""
    given = " ".join(f"'{w}'" for w in ("tieline", *words))
    return machine.run("bash", "-c", ". /usr/share/bash-completion/completions/tieline; "
                       f"COMP_WORDS=({given}); COMP_CWORD={len(words)}; _tieline; printf '%s\\n' \"${{COMPREPLY[@]}}\""
                       ).stdout.split()


def pairs(machine):
    return {link["kind"]: link["counts"]["pairs"] for c in machine.items("sync", "status") for link in c["links"]}


def test_upgrade(machine, service, packages, tmp_path):
    """Data, key and the site's own configuration are as before; the daemon is asked to restart, and goes on."""
    key, before, site = (machine.root / KEY).read_bytes(), pairs(machine), machine.root / "etc/tieline/conf.d/10-site.ini"
    text, running = site.read_bytes(), service["daemon"].process.pid
    debs = [newer(deb, tmp_path, "0.1.0-2", "; a later sample\n" if name == "tieline" else None)
            for name, deb in packages.items()]
    said = machine.install(*debs).stderr
    assert [w for w in machine.asked() if "restart" in w], said
    assert "conffile" not in said and "made the key" not in said and "What comes next" not in said
    assert (machine.root / "etc/tieline/tieline.ini").read_text(encoding="utf-8").endswith("; a later sample\n")
    assert (machine.root / KEY).read_bytes() == key and site.read_bytes() == text
    assert os.path.exists(f"/proc/{running}")  # unpacking did not stop it
    assert service["daemon"].stop() == 0
    service["daemon"].start()
    wait_until(lambda: enabled_run(machine), 60, "the connectors run")
    for endpoint in ("desk", "sf"):  # signed in as before
        machine.tieline("endpoint", "check", endpoint)
    assert pairs(machine) == before


def test_a_wrong_configuration_is_not_restarted_into(machine, packages, tmp_path):
    site = machine.root / "etc/tieline/conf.d/99-wrong.ini"
    site.write_text("[core]\nno_such_key = 1\n", encoding="utf-8")
    said = machine.install(newer(packages["tieline"], tmp_path, "0.1.0-2+x"), *[
        newer(packages[n], tmp_path, "0.1.0-2+x") for n in ("tieline-connectors", "libtieline-dev")]).stderr
    assert "99-wrong.ini:2" in said and "not restarted: the configuration is refused" in said
    assert not [w for w in machine.asked() if "restart" in w]
    assert machine.tieline("status", check=False).returncode in (0, 3)  # the former one goes on
    site.unlink()


def sums(machine):
    return {name: machine.items("connector", "show", name)[0]["sha256"] for name in ("desk", "salesforce")}


def test_connectors_alone(machine, packages, tmp_path):
    """New files of connectors are taken by the running daemon, each on trial; those that are the same are left alone."""
    deb = packages["tieline-connectors"]
    tree = tmp_path / "tree"
    subprocess.run(["dpkg-deb", "-R", deb, tree], check=True)
    so = next(tree.rglob("desk.so"))
    subprocess.run(["strip", "--strip-debug", so], check=True)
    with open(so, "ab") as f:
        f.write(b"\0")
    control = tree / "DEBIAN/control"
    control.write_text(control.read_text(encoding="utf-8").replace(field(deb, "Version"), "0.1.0-2+x"), encoding="utf-8")
    subprocess.run(["dpkg-deb", "-Zgzip", "-z1", "--root-owner-group", "-b", tree, tmp_path / "new.deb"], check=True,
                   stdout=subprocess.DEVNULL)
    before = sums(machine)
    machine.install(tmp_path / "new.deb")
    after = sums(machine)
    assert before["desk"] != after["desk"] and before["salesforce"] == after["salesforce"]


def test_authors_find_everything(machine):
    """From `tieline-sdk new` to a pull, with what the packages brought."""
    work = machine.root / "root/author"
    work.mkdir()
    done = machine.run("sh", "-ec", "cd /root/author && tieline-sdk new acme >&2 && cd acme && "
                                    "{ cmake -G Ninja -S . -B build && cmake --build build; } >&2 && "
                                    "tieline-sdk run build/connectors/acme.so --config check.ini pull contact")
    assert '"email":"ada1@example.org"' in done.stdout and '"checkpoint"' in done.stdout, done.stdout + done.stderr


def test_remove_keeps_and_a_new_installation_goes_on(machine, service, packages):
    key, before = (machine.root / KEY).read_bytes(), pairs(machine)
    machine.asked()
    machine.run("dpkg", "--no-triggers", "-r", *NAMES)
    assert [w for w in machine.asked() if "stop" in w]
    assert service["daemon"].stop() == 0
    assert not (machine.root / "usr/sbin/tielined").exists()
    assert (machine.root / KEY).read_bytes() == key and (machine.root / DATA / "tieline.db").exists()
    assert (machine.root / "etc/tieline/conf.d/10-site.ini").exists()
    machine.install(*packages.values())
    assert (machine.root / KEY).read_bytes() == key
    service["daemon"].start()
    assert pairs(machine) == before
    assert service["daemon"].stop() == 0


def test_purge(machine, packages):
    """The configuration goes; data and key stay together until a yes takes both."""
    said = machine.run("dpkg", "--no-triggers", "-P", *NAMES).stderr
    assert "are kept" in said and "rm -r /var/lib/tieline /etc/tieline/tieline.key" in said
    assert not (machine.root / "etc/tieline/tieline.ini").exists()
    assert (machine.root / KEY).exists() and (machine.root / DATA / "tieline.db").exists()
    machine.install(packages["tieline"])
    machine.run("debconf-set-selections", text="tieline tieline/purge-data boolean true\n")
    said = machine.run("dpkg", "--no-triggers", "-P", "tieline").stderr
    assert "are kept" not in said
    assert not (machine.root / KEY).exists() and not (machine.root / DATA).exists()
