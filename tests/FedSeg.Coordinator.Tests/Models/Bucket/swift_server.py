"""A real S3-compatible store in one process: OpenStack Swift (Debian's python3-swift) with its S3 API, one replica, in the folder given.

Prints "port N" when it answers and ends when its standard input does. Account "test", user "tester", secret key "testing".
"""
import os
import sys

import eventlet

eventlet.monkey_patch()

from eventlet import tpool, wsgi  # noqa: E402

root = sys.argv[1]
etc, devices = os.path.join(root, "etc"), os.path.join(root, "devices")
os.makedirs(etc)
os.makedirs(os.path.join(devices, "disk"))
with open(os.path.join(etc, "swift.conf"), "w") as settings:
    settings.write("[swift-hash]\nswift_hash_path_suffix = test\n[storage-policy:0]\nname = only\ndefault = yes\n")

from swift.common import storage_policy, utils  # noqa: E402

utils.SWIFT_CONF_FILE = storage_policy.utils.SWIFT_CONF_FILE = os.path.join(etc, "swift.conf")

from swift.account.server import AccountController  # noqa: E402
from swift.common.middleware import slo, tempauth  # noqa: E402
from swift.common.middleware.s3api.s3api import S3ApiMiddleware  # noqa: E402
from swift.common.ring import RingBuilder  # noqa: E402
from swift.container.server import ContainerController  # noqa: E402
from swift.obj.server import ObjectController  # noqa: E402
from swift.proxy.server import Application  # noqa: E402

doors = {name: eventlet.listen(("127.0.0.1", 0)) for name in ("account", "container", "object", "proxy")}
for name in ("account", "container", "object"):
    ip, port = doors[name].getsockname()
    ring = RingBuilder(1, 1, 0)
    ring.add_dev({"id": 0, "region": 1, "zone": 1, "ip": ip, "port": port, "device": "disk", "weight": 1.0})
    ring.rebalance()
    ring.get_ring().save(os.path.join(etc, name + ".ring.gz"))
storage_policy.reload_storage_policies()


class Cache(dict):
    """What memcached is to a cluster."""

    def __bool__(self):
        return True

    def get(self, key, raise_on_error=False):
        return dict.get(self, key)

    def set(self, key, value, **_):
        self[key] = value

    def delete(self, key, **_):
        self.pop(key, None)


class Silence:
    def write(self, _):
        pass


conf = {"devices": devices, "mount_check": "false", "swift_dir": etc, "log_level": "ERROR"}
front = Application(dict(conf, account_autocreate="true"))
front = slo.filter_factory(conf)(front)
front = tempauth.filter_factory(conf, user_test_tester="testing .admin")(front)
front = S3ApiMiddleware(front, dict(conf, location="us-east-1", s3_acl="false", auth_pipeline_check="false"))
cache = Cache()


def proxy(environ, start_response):
    environ["swift.cache"] = cache
    return front(environ, start_response)


apps = {"account": AccountController(conf), "container": ContainerController(conf), "object": ObjectController(conf), "proxy": proxy}
for name, app in apps.items():
    eventlet.spawn(wsgi.server, doors[name], app, Silence())
print("port", doors["proxy"].getsockname()[1], flush=True)
tpool.execute(sys.stdin.buffer.read)
