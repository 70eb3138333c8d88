// Follows one job, by Server-Sent Events and by WebSocket. Copy either; the page at /follow/ runs both side by side.

const LONGEST_PAUSE_MS = 30000;
const ENDED = 1000, RESTARTS = 1012;
const REFUSALS = {
  401: "You are not logged in.",
  404: "There is no such job that you may see.",
  429: "You have too many streams open.",
};

/** Calls onJob(job) with the job as it is now and whenever it changes, and onEnd(words) once, when there is no more. */
export function byEvents(jobId, { onJob, onEnd }) {
  const address = `/api/jobs/${partOf(jobId)}/events/`;
  let source, pause = 1000, left = false;

  function open() {
    if (left) return;
    source = new EventSource(address);
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
    source.onerror = async () => {
      if (source.readyState !== EventSource.CLOSED) return;
      const words = await refusalOf(address);
      if (left) return;
      if (words) return onEnd(words);
      setTimeout(open, pause);
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    };
  }

  open();
  return () => {
    left = true;
    source.close();
  };
}

/** Why it is no use to come again; null if it may be. The address is asked once more: an EventSource tells no status. */
async function refusalOf(address) {
  const asking = new AbortController();
  try {
    const { status } = await fetch(address, { signal: asking.signal });
    return status >= 400 && status < 500 ? (REFUSALS[status] ?? `The server refuses, with status ${status}.`) : null;
  } catch {
    return null; // nobody answers
  } finally {
    asking.abort(); // it may have been a stream after all
  }
}

/** The same by WebSocket. With a token it serves pages that have no session: it travels as a subprotocol. */
export function byWebSocket(jobId, { onJob, onEnd, token }) {
  let socket, pause = 1000, left = false;

  function open() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const address = `${scheme}//${location.host}/ws/tasks/${partOf(jobId)}/`;
    socket = new WebSocket(address, token ? ["warren", `token.${token}`] : ["warren"]);
    socket.onmessage = (event) => {
      pause = 1000;
      onJob(JSON.parse(event.data));
    };
    socket.onclose = (event) => {
      if (left) return;
      // 4404, 4429: HTTP's statuses, and it is no use to come again
      if (event.code >= 4000 && event.code < 5000) return onEnd(REFUSALS[event.code - 4000] ?? event.reason);
      if (event.code === ENDED) return onEnd(event.reason);
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

/** A job's id as a part of an address. Other programs name their jobs as they like, `orders/42` or `..`: see `links`. */
function partOf(jobId) {
  const vanishes = ["", ".", ".."].includes(jobId);
  return encodeURIComponent(vanishes ? `~${jobId}` : jobId.replaceAll("~", "~0").replaceAll("/", "~1"));
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
