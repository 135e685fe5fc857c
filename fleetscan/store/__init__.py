"""Runs, facts and findings, kept as they arrive: the journal of a scan, and what later nights are compared with.

    with open_store(url) as store:
        store.begin(record)                      # before the first host
        store.add(record.run_id, host_report)    # each host as it is finished, from a worker thread
        store.finish(run_report)                 # the end, with what is known of the run as a whole
        store.load("last")                       # all of it again

A scan writes through a `Journal`, which has `add` and `finish` as well: when the store goes away in the middle, it
goes on in a file of its own.

A store is a SQLite file or a PostgreSQL database; both behave alike. Several processes may use one at the same time.
Nothing here knows a secret: hosts are stored as the inventory resolved them, with names of credentials only.
"""

from __future__ import annotations

from fleetscan.store.address import default_path
from fleetscan.store.journal import Journal
from fleetscan.store.opening import open_store
from fleetscan.store.retention import Pruned
from fleetscan.store.store import Store

__all__ = ["Journal", "Pruned", "Store", "default_path", "open_store"]
