// The page: reads the REST API and shows it. Every text from outside goes through `textContent`.
"use strict";

const MAX_ROWS = 2000;            // tasks shown at once
const MAX_LOG_CHARACTERS = 200000; // end of a log that is kept in the page
const REFRESH_MS = 2000;

// ---- small tools -------------------------------------------------------------------------------------------------

// An element with attributes; children are elements or texts.
function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === "onclick") element.addEventListener("click", value);
    else if (value !== undefined) element.setAttribute(name, value);
  }
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined) element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

function link(href, text) { return el("a", { href }, text); }

function apiUrl(path, query) {
  const url = new URL("apis/v2beta1/" + path, document.baseURI);
  for (const [key, value] of Object.entries(query || {})) if (value) url.searchParams.set(key, value);
  return url;
}

async function read(path, query) {
  const response = await fetch(apiUrl(path, query), { headers: { accept: "application/json" } });
  const body = await response.json().catch(() => ({}));
  if (!response.ok) {
    const detail = body.details && body.details[0] && body.details[0].message;
    throw new Error(detail || body.message || "the server answered " + response.status);
  }
  return body;
}

function moment(text) { const at = Date.parse(text || ""); return at > 0 ? at : null; }

function when(text) { const at = moment(text); return at ? new Date(at).toLocaleString() : "–"; }

function duration(from, to) {
  const start = moment(from);
  if (!start) return "–";
  const seconds = Math.max(0, Math.round(((moment(to) || Date.now()) - start) / 1000));
  if (seconds < 60) return seconds + " s";
  if (seconds < 3600) return Math.floor(seconds / 60) + " min " + (seconds % 60) + " s";
  return Math.floor(seconds / 3600) + " h " + Math.floor((seconds % 3600) / 60) + " min";
}

const TONES = { SUCCEEDED: "good", FAILED: "bad", CANCELED: "bad", RUNNING: "busy", PENDING: "busy", CANCELING: "busy" };

function state(name) {
  const text = (name || "unknown").toLowerCase();
  return el("span", { class: "state " + (TONES[name] || "") }, text);
}

function isActive(name) { return ["PENDING", "RUNNING", "CANCELING", "PAUSED"].includes(name); }

function table(headings, rows, empty) {
  if (!rows.length) return el("p", { class: "soft" }, empty);
  return el("table", {}, el("thead", {}, el("tr", {}, headings.map((text) => el("th", { scope: "col" }, text)))),
    el("tbody", {}, rows));
}

function facts(pairs) {
  return el("dl", {}, pairs.filter(([, value]) => value !== "" && value !== undefined && value !== null)
    .map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

// ---- pages: each returns its elements, and whether it should be read again soon ------------------------------------

// A list with a button for the next page. `load(token)` gives {rows, next}.
async function growingTable(headings, load, empty) {
  const first = await load("");
  const holder = el("div", {}, table(headings, first.rows, empty));
  let token = first.next;
  const more = el("button", { type: "button", onclick: async () => {
    const page = await load(token);
    holder.querySelector("tbody").append(...page.rows);
    token = page.next;
    more.hidden = !token;
    grown = true;
  } }, "Show more");
  more.hidden = !token;
  holder.append(el("p", {}, more));
  return holder;
}
// A list that was opened further is not thrown away by a refresh.
let grown = false;

function runRow(run) {
  return el("tr", {},
    el("td", {}, link("#/runs/details/" + run.run_id, run.display_name)),
    el("td", {}, state(run.state)),
    el("td", { class: "number" }, when(run.created_at)),
    el("td", { class: "number" }, duration(run.created_at, isActive(run.state) ? "" : run.finished_at)));
}

async function runTable(experimentId) {
  let active = false;
  const load = async (token) => {
    const page = await read("runs", {
      page_size: "50", page_token: token, sort_by: token ? "" : "created_at desc", experiment_id: experimentId,
    });
    const runs = page.runs || [];
    active = active || runs.some((run) => isActive(run.state));
    return { rows: runs.map(runRow), next: page.next_page_token };
  };
  const element = await growingTable(["Run", "State", "Created", "Duration"], load, "No runs yet.");
  return { element, active };
}

async function runsPage() {
  const runs = await runTable("");
  return { title: "Runs", elements: [runs.element], again: runs.active };
}

async function experimentsPage() {
  const load = async (token) => {
    const page = await read("experiments", { page_size: "50", page_token: token, sort_by: token ? "" : "created_at desc" });
    const row = (experiment) => el("tr", {},
      el("td", {}, link("#/experiments/details/" + experiment.experiment_id, experiment.display_name)),
      el("td", {}, experiment.description || ""),
      el("td", { class: "number" }, when(experiment.last_run_created_at)));
    return { rows: (page.experiments || []).map(row), next: page.next_page_token };
  };
  return { title: "Experiments", elements: [await growingTable(["Experiment", "Description", "Last run"], load, "No experiments.")] };
}

async function experimentPage(id) {
  const experiment = await read("experiments/" + encodeURIComponent(id));
  const runs = await runTable(id);
  return {
    title: experiment.display_name,
    elements: [
      facts([["Description", experiment.description], ["Created", when(experiment.created_at)],
        ["Storage", (experiment.storage_state || "").toLowerCase()]]),
      el("h2", {}, "Runs"), runs.element,
    ],
    again: runs.active,
  };
}

async function pipelinesPage() {
  const load = async (token) => {
    const page = await read("pipelines", { page_size: "50", page_token: token, sort_by: token ? "" : "created_at desc" });
    const row = (pipeline) => el("tr", {},
      el("td", {}, link("#/pipelines/details/" + pipeline.pipeline_id, pipeline.display_name)),
      el("td", {}, pipeline.description || ""),
      el("td", { class: "number" }, when(pipeline.created_at)));
    return { rows: (page.pipelines || []).map(row), next: page.next_page_token };
  };
  return { title: "Pipelines", elements: [await growingTable(["Pipeline", "Description", "Created"], load, "No pipelines yet.")] };
}

async function pipelinePage(id, versionId) {
  const path = "pipelines/" + encodeURIComponent(id);
  const [pipeline, versions] = await Promise.all([
    read(path), read(path + "/versions", { page_size: "50", sort_by: "created_at desc" }),
  ]);
  const all = versions.pipeline_versions || [];
  const shown = versionId ? await read(path + "/versions/" + encodeURIComponent(versionId)) : all[0];
  const row = (version) => el("tr", {},
    el("td", {}, link("#/pipelines/details/" + id + "/version/" + version.pipeline_version_id, version.display_name)),
    el("td", {}, version.description || ""),
    el("td", { class: "number" }, when(version.created_at)));
  const elements = [
    facts([["Description", pipeline.description], ["Created", when(pipeline.created_at)]]),
    el("h2", {}, "Versions"), table(["Version", "Description", "Created"], all.map(row), "No versions yet."),
  ];
  if (shown) {
    elements.push(el("h2", {}, "Version " + shown.display_name), el("pre", {}, JSON.stringify(shown.pipeline_spec, null, 2)));
  }
  return { title: pipeline.display_name, elements };
}

function sourceOf(run) {
  const reference = run.pipeline_version_reference;
  if (!reference) return run.pipeline_spec ? "sent with the run" : "";
  return link("#/pipelines/details/" + reference.pipeline_id + "/version/" + reference.pipeline_version_id, "pipeline version");
}

// Tasks with their depth, parents before children.
function taskTree(tasks) {
  const children = new Map();
  for (const task of tasks) {
    const parent = task.parent_task_id || "";
    if (!children.has(parent)) children.set(parent, []);
    children.get(parent).push(task);
  }
  const rows = [];
  const open = (children.get("") || []).map((task) => [task, 0]).reverse();
  while (open.length && rows.length < MAX_ROWS) {
    const [task, depth] = open.pop();
    rows.push([task, depth]);
    for (const child of (children.get(task.task_id) || []).slice().reverse()) open.push([child, depth + 1]);
  }
  return rows;
}

function taskRow(runId, task, depth) {
  const log = task.pod_name
    ? el("button", { type: "button", onclick: () => showLog(runId, task) }, "log") : "";
  return el("tr", {},
    el("td", { class: "depth-" + Math.min(depth, 6) }, task.display_name || "(pipeline)"),
    el("td", {}, state(task.state), task.error ? el("div", { class: "error" }, task.error.message) : null),
    el("td", { class: "number" }, when(task.start_time)),
    el("td", { class: "number" }, duration(task.start_time, isActive(task.state) ? "" : task.end_time)),
    el("td", {}, log));
}

async function runPage(id) {
  const run = await read("runs/" + encodeURIComponent(id));
  const experiment = run.experiment_id
    ? await read("experiments/" + encodeURIComponent(run.experiment_id)).catch(() => null) : null;
  const tasks = (run.run_details && run.run_details.task_details) || [];
  const rows = taskTree(tasks);
  const parameters = Object.entries((run.runtime_config && run.runtime_config.parameters) || {});
  const elements = [
    facts([
      ["State", state(run.state)],
      ["Experiment", experiment ? link("#/experiments/details/" + experiment.experiment_id, experiment.display_name) : ""],
      ["Pipeline", sourceOf(run)], ["Description", run.description], ["Created", when(run.created_at)],
      ["Duration", duration(run.created_at, isActive(run.state) ? "" : run.finished_at)],
      ["Error", run.error ? el("span", { class: "error" }, run.error.message) : ""],
    ]),
  ];
  if (parameters.length) {
    elements.push(el("h2", {}, "Parameters"), facts(parameters.map(([name, value]) => [name, JSON.stringify(value)])));
  }
  elements.push(el("h2", {}, "Tasks"),
    table(["Task", "State", "Started", "Duration", ""], rows.map(([task, depth]) => taskRow(id, task, depth)), "No tasks yet."));
  if (rows.length < tasks.length) elements.push(el("p", { class: "soft" }, "Only the first " + rows.length + " of " + tasks.length + " tasks are shown."));
  return { title: run.display_name, elements, again: isActive(run.state) };
}

function laterPage() {
  return { title: "Not here yet", elements: [el("p", {}, "This page is not built yet. ", link("#/runs", "All runs"))] };
}

// ---- logs ----------------------------------------------------------------------------------------------------------

const logPanel = el("section", { hidden: "" });
let logReading = null;

function closeLog() {
  if (logReading) logReading.abort();
  logReading = null;
  logPanel.hidden = true;
  logPanel.replaceChildren();
}

async function showLog(runId, task) {
  closeLog();
  const reading = logReading = new AbortController();
  const path = "runs/" + encodeURIComponent(runId) + "/nodes/" + encodeURIComponent(task.task_id) + "/log";
  const text = el("pre", { tabindex: "0" });
  logPanel.replaceChildren(el("h2", {}, "Log of " + task.display_name),
    el("p", {}, el("a", { href: apiUrl(path), target: "_blank", rel: "noopener" }, "whole log"), " · ",
      el("button", { type: "button", onclick: closeLog }, "close")), text);
  logPanel.hidden = false;
  logPanel.scrollIntoView({ block: "nearest" });
  try {
    const follow = isActive(task.state) ? "true" : "";
    const response = await fetch(apiUrl(path, { follow }), { signal: reading.signal });
    if (!response.ok) throw new Error((await response.json()).error_details);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const atEnd = text.scrollTop + text.clientHeight >= text.scrollHeight - 4;
      text.textContent = (text.textContent + value).slice(-MAX_LOG_CHARACTERS);
      if (atEnd) text.scrollTop = text.scrollHeight;
    }
  } catch (problem) {
    if (problem.name !== "AbortError") text.textContent += "\n" + problem.message;
  }
}

// ---- navigation ----------------------------------------------------------------------------------------------------

const PAGES = [
  [/^\/?$/, runsPage], [/^\/start$/, runsPage], [/^\/runs$/, runsPage],
  [/^\/runs\/details\/([^/]+)/, runPage],
  [/^\/experiments$/, experimentsPage], [/^\/experiments\/details\/([^/]+)$/, experimentPage],
  [/^\/pipelines$/, pipelinesPage], [/^\/shared\/pipelines$/, pipelinesPage],
  [/^\/pipelines\/details\/([^/]+)\/version\/([^/]+)$/, pipelinePage], [/^\/pipelines\/details\/([^/]+)$/, pipelinePage],
];

let visit = 0;
let timer = 0;

async function show(isRefresh) {
  const mine = ++visit;
  clearTimeout(timer);
  const address = location.hash.slice(1).split("?")[0];
  if (!isRefresh) { closeLog(); grown = false; }
  for (const anchor of document.querySelectorAll("nav a")) {
    const isHere = address.startsWith(anchor.getAttribute("href").slice(1));
    if (isHere) anchor.setAttribute("aria-current", "page"); else anchor.removeAttribute("aria-current");
  }
  let page;
  try {
    const entry = PAGES.find(([pattern]) => pattern.test(address));
    page = entry ? await entry[1](...entry[0].exec(address).slice(1).map(decodeURIComponent)) : laterPage();
  } catch (problem) {
    page = { title: "Something went wrong", elements: [el("p", { class: "error" }, problem.message)], again: isRefresh };
  }
  if (mine !== visit) return;
  if (!(isRefresh && grown)) {
    document.title = page.title + " · Ferroflow";
    document.getElementById("main").replaceChildren(el("h1", {}, page.title), ...page.elements, logPanel);
  }
  if (page.again) timer = setTimeout(() => show(true), REFRESH_MS);
}

addEventListener("hashchange", () => show(false));
show(false);
