"""Opens the page in headless Chromium and compares its values with a table of `lrgrid eval`.

    python3 recipes/webgpu/check.py table.csv [chromedriver]

Where the browser gives no WebGPU adapter it says so and checks the rest: that the page finds its files and reads the block.
"""

import csv
import functools
import http.server
import json
import pathlib
import re
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def opened(driver, address):
    """The text of the page's result once it has settled, through WebDriver."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([driver, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def call(path, body=None, method=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"http://127.0.0.1:{port}/session{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)["value"]

    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        arguments = ["--headless=new", "--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"]
        options = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"args": arguments}}}}
        session = "/" + call("", options)["sessionId"]
        try:
            call(f"{session}/url", {"url": address})
            script = {"script": "return document.getElementById('result').textContent", "args": []}
            for _ in range(600):
                result = call(f"{session}/execute/sync", script)
                if not result.startswith("working"):
                    return result
                time.sleep(0.2)
            return "failed: the page did not come to an end"
        finally:
            call(session, method="DELETE")
    finally:
        process.terminate()


def main():
    table, driver = sys.argv[1], (sys.argv[2:] or ["chromedriver"])[0]
    handler = functools.partial(Quiet, directory=pathlib.Path(__file__).parent)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    result = opened(driver, f"http://127.0.0.1:{server.server_port}/index.html")
    server.shutdown()
    if result.startswith("failed: no WebGPU"):
        print(f"the page finds its files and reads the block; its shader was not run: {result}")
        return
    if not re.match(r"\d+ schedules", result):
        sys.exit(result)
    got = [int(word, 16) for word in result.split("\n")[1].split()]
    with open(table, newline="") as file:
        want = [struct.unpack("<I", struct.pack("<f", float(row["lr"])))[0] for row in csv.DictReader(file)]
    # Bits of positive floats count in units in the last place.
    off = max(abs(a - b) for a, b in zip(got, want, strict=True))
    if off > 1:
        sys.exit(f"the page's values are {off} ULP off")
    print(f"the page computed {len(got)} values, at most {off} ULP from the reference")


if __name__ == "__main__":
    main()
