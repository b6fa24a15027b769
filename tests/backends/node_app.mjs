// SPDX-License-Identifier: Apache-2.0
import http from "node:http";

const ROUTE = "/api/v1/cognitive/assistant/chat/stream";

function chat(request, response) {
  const onward = http.request({
    socketPath: "/run/cogent/cogent.sock", method: "POST", path: "/v1/assistant/chat/stream", agent: false,
    headers: { Host: "cogent", Authorization: request.headers.authorization ?? "", "Content-Type": "application/json" },
  });
  onward.on("response", (answer) => {              // an error's body is passed on as it is, with its status
    response.writeHead(answer.statusCode, { "Content-Type": answer.headers["content-type"], "X-Accel-Buffering": "no" });
    answer.pipe(response);
    answer.on("error", () => response.destroy());  // cut: the browser must not take it for the end
  });
  onward.on("error", () => {
    if (response.headersSent) return response.destroy();
    response.writeHead(503, { "Content-Type": "application/problem+json" });
    response.end(JSON.stringify({ title: "Unavailable", status: 503, detail: "The assistant cannot be reached." }));
  });
  response.on("close", () => onward.destroy());    // the browser has gone: closing the socket cancels the run
  request.pipe(onward);
}

const server = http.createServer((request, response) => {
  if (request.method === "POST" && request.url === ROUTE) return chat(request, response);
  response.writeHead(404).end();
});
server.listen(process.env.PORT ?? 8080, "127.0.0.1");
