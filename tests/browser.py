"""A headless Chromium spoken to through two pipes (the DevTools protocol): what the tests of pages share."""
from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ("--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars --no-first-run --disable-extensions "
         "--disable-background-networking --disable-component-update --remote-debugging-pipe").split()


class Browser:
    """One page at a time; `problems` gathers console errors and exceptions, `requests` what the page asked of a network."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        to_child, ours = os.pipe()
        theirs, from_child = os.pipe()
        self.process = subprocess.Popen(["bash", "-c", f'exec 3<&{to_child} 4>&{from_child}; exec "$@"', "bash", CHROMIUM, *FLAGS,
                                         f"--user-data-dir={self.folder.name}", "about:blank"],
                                        pass_fds=(to_child, from_child), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_child)
        os.close(from_child)
        self.write, self.read, self.rest = ours, theirs, b""
        self.ids = itertools.count(1)
        self.problems: list[str] = []
        self.requests: list[str] = []
        self.session = ""
        target = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self.ids)
        message = {"id": number, "method": method, "params": params} | ({"sessionId": self.session} if self.session else {})
        os.write(self.write, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + 30
        while time.monotonic() < until:
            for found in self._messages(until):
                if found.get("id") == number:
                    assert "error" not in found, found["error"]
                    return found["result"]
                self._event(found)
        raise TimeoutError(f"{method}: no answer in 30 s")

    def _messages(self, until: float) -> list[dict[str, Any]]:
        if select.select([self.read], [], [], max(0, until - time.monotonic()))[0]:
            self.rest += os.read(self.read, 1 << 16)
        *whole, self.rest = self.rest.split(b"\0")
        return [json.loads(part) for part in whole]

    def _event(self, found: dict[str, Any]) -> None:
        name, params = found.get("method"), found.get("params", {})
        if name == "Runtime.exceptionThrown":
            detail = params["exceptionDetails"]
            self.problems.append(detail.get("exception", {}).get("description", detail["text"]))
        elif name == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.problems.append(str([a.get("value", a.get("description")) for a in params["args"]]))
        elif name == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.problems.append(params["entry"]["text"])
        elif name == "Network.requestWillBeSent" and not params["request"]["url"].startswith(("file:", "data:", "about:")):
            self.requests.append(params["request"]["url"])

    def open(self, path: Path, width: int = 1280, height: int = 900, scheme: str = "light", motion: str = "no-preference",
             anchor: str = "") -> None:
        self.problems.clear()
        self.requests.clear()
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        features = [{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": motion}]
        self.call("Emulation.setEmulatedMedia", features=features)
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=path.resolve().as_uri() + anchor)
        self.until("document.readyState === 'complete'")

    def run(self, code: str) -> Any:
        """The value of an expression in the page (awaited)."""
        found = self.call("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"].get("exception", {}).get("description", found)
        return found["result"].get("value")

    def until(self, code: str, seconds: float = 90) -> None:
        end = time.monotonic() + seconds
        while not self.run(code):
            assert time.monotonic() < end, f"never true: {code}"
            time.sleep(.05)

    def rest_for(self, seconds: float) -> None:
        self.run(f"new Promise((done) => setTimeout(done, {1000*seconds}))")

    def drag(self, selector: str, begin: tuple[float, float], end: tuple[float, float], moves: int = 10) -> None:
        """Drag within an element, in fractions of its box."""
        self.run(f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'center'}})")
        found = f"document.querySelector({json.dumps(selector)})"
        box = self.run(f"(({{x, y, width, height}}) => [x, y, width, height])({found}.getBoundingClientRect())")

        def at(f: float) -> dict[str, float]:
            return {"x": box[0] + box[2]*(begin[0] + f*(end[0] - begin[0])), "y": box[1] + box[3]*(begin[1] + f*(end[1] - begin[1]))}
        self.call("Input.dispatchMouseEvent", type="mousePressed", button="left", buttons=1, clickCount=1, **at(0))
        for n in range(1, moves + 1):
            self.call("Input.dispatchMouseEvent", type="mouseMoved", button="left", buttons=1, **at(n/moves))
            self.rest_for(.02)
        self.call("Input.dispatchMouseEvent", type="mouseReleased", button="left", buttons=0, clickCount=1, **at(1))
        self.drawn()

    def key(self, name: str) -> None:
        code = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}[name]
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code)
        self.drawn()

    def drawn(self) -> None:
        """Waits until what was asked for has been computed and drawn: pages do both once a frame."""
        self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def picture(self, path: Path) -> None:
        size = self.run("[document.documentElement.clientWidth, document.documentElement.scrollHeight]")
        clip = {"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1}
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)["data"]
        Path(path).write_bytes(base64.b64decode(data))

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self.session = ""
            self.call("Browser.close")
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(5)
        for end in (self.write, self.read):
            os.close(end)
        with contextlib.suppress(OSError):
            self.folder.cleanup()
