// Python in a worker: fetched and started at the first request, and every request answered by `carecontracts.live`.
// The page makes this worker from a blob, so that it is held to the page's own policy: nothing leaves the site.
const base = self.LIVE_BASE;
const runtime = base + "pyodide/";
const seen = { bytes: 0 };

// The compiled runtime rides compressed, whatever the server does; everything else is as it lies there.
const plainFetch = self.fetch.bind(self);
self.fetch = async (what, options) => {
  const address = String(what.url ?? what);
  if (!address.endsWith(".wasm")) return plainFetch(what, options);
  const packed = await plainFetch(address + ".gz", options);
  if (!packed.ok) return packed;
  const body = packed.body.pipeThrough(new DecompressionStream("gzip"));
  return new Response(body, { headers: { "Content-Type": "application/wasm" } });
};

async function bytesOf(name) {
  const got = await plainFetch(base + name);
  if (!got.ok) throw new Error(`${name}: ${got.status}`);
  return got.arrayBuffer();
}

let python;
async function start() {
  const times = { start: performance.now() };
  const packed = bytesOf("package.zip"); // while the runtime compiles
  const { loadPyodide } = await import(runtime + "pyodide.mjs");
  python = await loadPyodide({ indexURL: runtime });
  times.runtime = performance.now();
  python.unpackArchive(await packed, "zip");
  times.unpacked = performance.now();
  const answer = python.runPython("from carecontracts.live import answer\nanswer");
  times.imported = performance.now();
  return { answer, times };
}

let started;
const unpacked = new Set();
async function answerTo({ id, request, needs }) {
  try {
    started ??= start();
    const { answer, times } = await started;
    for (const name of needs ?? []) {
      if (!unpacked.has(name)) python.unpackArchive(await bytesOf(`${name}.zip`), "zip");
      unpacked.add(name);
    }
    const before = performance.now();
    const text = answer(JSON.stringify(request));
    self.postMessage({ id, text, took: performance.now() - before, times });
  } catch (error) {
    self.postMessage({ id, failed: String(error).split("\n").filter(Boolean).pop() });
  }
}
let queue = Promise.resolve();
self.onmessage = ({ data }) => { queue = queue.then(() => answerTo(data)); };
self.early.forEach(self.onmessage); // what was asked while this file was on its way
