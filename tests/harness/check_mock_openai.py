#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The mock against the wire that it claims to speak. Arguments: the program, its script."""
import http.client, json, subprocess, sys, time

mock = subprocess.Popen([sys.argv[1], "--script", sys.argv[2]], stdout=subprocess.PIPE, text=True)
port = int(mock.stdout.readline().rsplit(":", 1)[1])
USER = {"role": "user", "content": "Hello?"}


def post(model, messages=None, stream=True, **more):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    body = {"model": model, "messages": messages or [USER], "stream": stream, **more}
    if stream:
        body.setdefault("stream_options", {"include_usage": True})
    c.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
    return c, c.getresponse()


def get(path):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    c.request("GET", path)
    return json.load(c.getresponse())


def events(reply):
    return [e[len("data: "):] for e in reply.read().decode().split("\n\n") if e]


def stream(model, messages=None):
    """Text, calls by index, finish reasons, usage of a whole stream."""
    reply = post(model, messages)[1]
    assert reply.status == 200 and reply.getheader("Content-Type").startswith("text/event-stream")
    got = events(reply)
    assert got[-1] == "[DONE]", got[-1]
    text, calls, finish, usage = "", {}, [], None
    for chunk in map(json.loads, got[:-1]):
        assert chunk["object"] == "chat.completion.chunk" and chunk["model"] == model
        usage = chunk["usage"] or usage
        for choice in chunk["choices"]:
            delta = choice["delta"]
            text += delta.get("content") or ""
            finish += [choice["finish_reason"]] if choice["finish_reason"] else []
            for f in delta.get("tool_calls", []):
                call = calls.setdefault(f["index"], {"id": "", "name": "", "arguments": ""})
                call["id"] += f.get("id", "")
                call["name"] += f["function"].get("name", "")
                call["arguments"] += f["function"].get("arguments", "")
    return text, calls, finish, usage


def after(calls, result):
    uses = [{"id": c["id"], "type": "function", "function": {"name": c["name"], "arguments": c["arguments"]}} for c in calls.values()]
    return [USER, {"role": "assistant", "content": None, "tool_calls": uses}] + \
        [{"role": "tool", "tool_call_id": c["id"], "content": result} for c in calls.values()]


def check():
    text, calls, finish, usage = stream("plain")
    assert (text, calls, finish) == ("Hello from the mock.", {}, ["stop"]) and usage["prompt_tokens"] > 0
    assert stream("utf8")[0] == "Größe 5 µm, 漢字, 😀 done."
    assert stream("usage")[3]["prompt_tokens_details"]["cached_tokens"] == 1024
    assert stream("no-usage")[3] is None

    text, calls, finish, _ = stream("one-tool")
    assert finish == ["tool_calls"] and json.loads(calls[0]["arguments"]) == {"number": "536365"}
    result = 'Cite this result as [1].\n{"total":"139.12","currency":"GBP"}'
    assert stream("one-tool", after(calls, result))[0] == "Invoice 536365 comes to 139.12 GBP [1]."
    text, calls, finish, _ = stream("two-tools")
    assert [c["id"] for c in calls.values()] == ["call_a", "call_b"]
    assert json.loads(calls[1]["arguments"]) == {"code": "17850"}
    assert stream("two-tools", after(calls, "{}"))[0] == "Both are known now."
    assert stream("two-tools", after(calls, "{}") + [USER])[2] == ["tool_calls"], "a new question begins anew"
    assert stream("stop-with-calls")[2] == ["stop"] and stream("empty-arguments")[1][0]["arguments"] == ""
    assert stream("length")[2] == ["length"]

    reply = json.load(post("one-tool", stream=False)[1])
    assert reply["object"] == "chat.completion" and reply["choices"][0]["finish_reason"] == "tool_calls"
    assert json.loads(reply["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]) == {"number": "536365"}
    assert json.load(post("plain", stream=False)[1])["choices"][0]["message"]["content"] == "Hello from the mock."

    for model in ("cut", "cut-in-call"):
        try:
            post(model)[1].read()
            assert False, "not cut"
        except http.client.IncompleteRead:
            pass
    try:
        post("cut-before-first")
        assert False, "not cut"
    except (http.client.RemoteDisconnected, ConnectionResetError):
        pass
    got = events(post("no-done")[1])
    assert "[DONE]" not in got and json.loads(got[-1])["choices"][0]["finish_reason"] is None
    try:
        [json.loads(e) for e in events(post("malformed")[1])[:-1]]
        assert False, "not malformed"
    except json.JSONDecodeError:
        pass
    assert "error" in json.loads(events(post("error-midstream")[1])[-1])

    reply = post("rate-limited")[1]
    assert (reply.status, reply.getheader("Retry-After-Ms")) == (429, "700")
    assert json.load(reply)["error"]["code"] == "rate_limit_exceeded"
    assert post("down")[1].status == 503 and post("nobody")[1].status == 404
    assert post("plain", [{"role": "tool", "tool_call_id": "x", "content": ""}])[1].status == 400
    assert post("plain", after({0: {"id": "a", "name": "t", "arguments": "{}"}}, "{}")[:2])[1].status == 400
    assert post("plain", tools=[{"type": "function", "function": {"name": "a b"}}])[1].status == 400
    assert "plain" in [m["id"] for m in get("/v1/models")["data"]]

    began = time.monotonic()
    assert stream("slow")[0] == "Late, but here." and time.monotonic() - began >= 1.4
    before = get("/_stats")["closed_early"]
    connection, reply = post("endless")
    reply.read(2000)
    assert get("/_stats")["open"] == 1
    reply.close()
    connection.close()
    for _ in range(100):
        if get("/_stats")["closed_early"] == before + 1:
            break
        time.sleep(0.02)
    stats = get("/_stats")
    assert (stats["closed_early"], stats["open"]) == (before + 1, 0), stats


try:
    check()
finally:
    mock.terminate()
    status = mock.wait(10)
assert status == 0, status
