"""rembg on many pictures in one process, with a custom IS-Net model.

Run:  python rembg-peer.py MODEL.onnx
Takes lines {"photo": PATH, "out": PATH} on stdin; writes each cut-out as PNG and answers {"seconds": S}.
"""

import json
import sys
import time

from PIL import Image
from rembg import new_session, remove

session = new_session("dis_custom", model_path=sys.argv[1])
for line in sys.stdin:
    task = json.loads(line)
    with Image.open(task["photo"]) as photo:
        photo.load()
    started = time.perf_counter()
    cutout = remove(photo, session=session)
    seconds = time.perf_counter() - started
    cutout.save(task["out"], compress_level=2)
    print(json.dumps({"seconds": seconds}), flush=True)
