"""A process that labels trace after trace and says each time when it is committed."""

import sys

import numpy as np

from traceloc.labels.events import Subject
from traceloc.labels.measurements import Measurements
from traceloc.labels.store import LabelStore

path, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
store = LabelStore(path)
features = np.arange(40, dtype=np.float32).reshape(20, 2)
for number in range(count):
    subject = Subject(
        system="bot",
        trace_id=f"{name}-{number}",
        content_hash=f"{name}-{number}",
        group=f"{name}-{number}",
        locator=f"{name}.json#{number}",
        native_index=number % 20,
        step=number % 20,
        agent="Writer",
    )
    measurements = Measurements(features, np.arange(20), ("a.x", "a.y"), {"a": "1"})
    event = store.add("label", subject, measurements=measurements, who=name)
    sys.stdout.write(f"{event.id} {event.trace_id}\n")
    sys.stdout.flush()
