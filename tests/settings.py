"""The service's settings under test: a data directory of its own, and no setting of whoever runs the tests.

`PURSER_TEST_DATABASE_URL` chooses the database of in-process tests; the default is an SQLite file.
"""

import os
import tempfile

_OURS = ("PURSER_TEST_", "PURSER_SOAK_")
for _name in [name for name in os.environ if name.startswith("PURSER_") and not name.startswith(_OURS)]:
    del os.environ[_name]

_data_dir = tempfile.TemporaryDirectory(prefix="purser-test-")  # removed when the process ends
os.environ["PURSER_DATA_DIR"] = _data_dir.name
os.environ["PURSER_DATABASE_URL"] = os.environ.get("PURSER_TEST_DATABASE_URL", "")

from api.settings import *  # noqa: E402, F403
from api.settings import DATABASES  # noqa: E402

if "sqlite" in DATABASES["default"]["ENGINE"]:
    # In memory, SQLite has other locks than in the file that the service uses.
    DATABASES["default"]["TEST"] = {"NAME": f"{_data_dir.name}/test.sqlite3"}
