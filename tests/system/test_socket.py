"""The API's socket: what stands at its path and is not ours stays; the group that may use it is checked before the start."""
import os
import socket
import subprocess

from systemlib import BUILD, Site, rig


def start(site):
    return subprocess.run([rig.find_program(BUILD, "tielined"), "-c", site.daemon.ini], capture_output=True, text=True,
                          timeout=20)


def test_what_is_not_our_socket_stays():
    """A file, a link and a socket of another kind are left alone; a socket left behind by a kill is replaced."""
    with Site("--contacts", 2, "--accounts", 1, hooks=False) as site:
        path = site.daemon.socket
        with open(path, "w", encoding="ascii") as f:
            f.write("precious")
        done = start(site)
        assert done.returncode == 7 and "something else than a socket" in done.stderr, done.stderr
        assert open(path, encoding="ascii").read() == "precious"
        os.rename(path, path + ".kept")
        os.symlink(path + ".kept", path)
        assert start(site).returncode == 7
        assert os.path.islink(path)
        os.unlink(path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            other.bind(path)
            done = start(site)
            assert done.returncode == 7 and "another kind" in done.stderr, done.stderr
        os.unlink(path)
        site.start()
        site.restart(kill=True)
        assert site.run("status", check=False).returncode in (0, 3)
