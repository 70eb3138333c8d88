// Follows one job, by Server-Sent Events and by WebSocket. Copy either; the page at /follow/ runs both side by side.

const LONGEST_PAUSE_MS = 30000;
const ENDED = 1000, RESTARTS = 1012;

/** Calls onJob(job) with the job as it is now and whenever it changes, and onEnd(words) once, when there is no more. */
export function byEvents(jobId, { onJob, onEnd }) {
  let source, pause = 1000;

  function open() {
    source = new EventSource(`/api/jobs/${encodeURIComponent(jobId)}/events/`);
    source.addEventListener("job", (event) => {
      pause = 1000;
      onJob(JSON.parse(event.data));
    });
    source.addEventListener("end", () => {
      source.close();
      onEnd("The job has ended.");
    });
    // A lost connection and `event: reconnect`: the browser comes again by itself, with the last event's id. It gives up
    // when it is answered with an error, as by a proxy whose server restarts.
    source.onerror = () => {
      if (source.readyState !== EventSource.CLOSED) return;
      setTimeout(open, pause);
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    };
  }

  open();
  return () => source.close();
}

/** The same by WebSocket. With a token it serves pages that have no session: it travels as a subprotocol. */
export function byWebSocket(jobId, { onJob, onEnd, token }) {
  let socket, pause = 1000, left = false;

  function open() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const address = `${scheme}//${location.host}/ws/tasks/${encodeURIComponent(jobId)}/`;
    socket = new WebSocket(address, token ? ["warren", `token.${token}`] : ["warren"]);
    socket.onmessage = (event) => {
      pause = 1000;
      onJob(JSON.parse(event.data));
    };
    socket.onclose = (event) => {
      if (left) return;
      // 4404, 4429: it is no use to come again
      if (event.code === ENDED || (event.code >= 4000 && event.code < 5000)) return onEnd(event.reason);
      // restarted, too busy or cut off; spread, lest all come at once
      setTimeout(open, pause * (0.5 + Math.random()));
      if (event.code !== RESTARTS) pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    };
  }

  open();
  return () => {
    left = true;
    socket.close();
  };
}

// --- the page -------------------------------------------------------------------------------------------------------

function show(box, job) {
  box.querySelector("[data-state]").textContent = job.state;
  const steps = box.querySelector("[data-steps]");
  const step = document.createElement("li");
  step.textContent = [job.state, job.progress && JSON.stringify(job.progress.meta), job.error && job.error.message]
    .filter(Boolean)
    .join(" – ");
  steps.append(step);
}

function follow(page, jobId) {
  for (const [name, way] of Object.entries({ events: byEvents, socket: byWebSocket })) {
    const box = page.querySelector(`[data-by="${name}"]`);
    way(jobId, {
      onJob: (job) => show(box, job),
      onEnd: (words) => (box.querySelector("[data-end]").textContent = words),
    });
  }
}

async function submitAndFollow(page) {
  const answer = await fetch("/api/jobs/", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": page.dataset.csrf },
    body: JSON.stringify({ task: "arithmetic.add", args: [2, 3], countdown: 3 }),
  });
  const body = await answer.json();
  if (answer.ok) location.search = `?job=${encodeURIComponent(body.id)}`;
  else page.querySelector("[data-problem]").textContent = body.detail;
}

const page = globalThis.document?.querySelector("[data-follow]");
if (page) {
  page.querySelector("[data-submit]").addEventListener("click", () => submitAndFollow(page));
  if (page.dataset.follow) follow(page, page.dataset.follow);
}
