# SPDX-License-Identifier: Apache-2.0
import anyio, httpx
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse, Response

app = FastAPI()

def cogent():                                   # one short-lived client a stream: closing it closes the socket, which cancels the run
    return httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds="/run/cogent/cogent.sock"),
                             base_url="http://cogent", timeout=httpx.Timeout(10, read=60))

@app.post("/api/v1/cognitive/assistant/chat/stream")
async def chat(request: Request):
    client = cogent()
    reply = await client.send(client.build_request("POST", "/v1/assistant/chat/stream", content=await request.body(), headers={
        "Authorization": request.headers["Authorization"], "Content-Type": "application/json"}), stream=True)
    if reply.status_code != 200:
        body = await reply.aread(); await client.aclose()
        return Response(body, reply.status_code, media_type=reply.headers["Content-Type"])
    async def events():
        try:
            async for chunk in reply.aiter_raw():
                yield chunk
        finally:
            with anyio.CancelScope(shield=True):            # the browser has gone: this task is being cancelled, close all the same
                await client.aclose()
    return StreamingResponse(events(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
