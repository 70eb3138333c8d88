// Runs the dashboard's merging on a document of its own making, as far as merging asks one: test_merging.py says what
// to merge, as JSON, and hears what became of it.
"use strict";
const fs = require("node:fs");
const vm = require("node:vm");

class FakeNode {
  constructor(nodeName, { attributes = {}, data, children = [], mark } = {}) {
    Object.assign(this, { nodeName, nodeType: data === undefined ? 1 : 3, data, mark, parent: null, childNodes: [], moves: 0 });
    this.given = new Map(Object.entries(attributes));
    for (const child of children) this.insertBefore(child, null);
    this.moves = 0;
  }
  get id() { return this.nodeType === 1 ? this.given.get("id") || "" : undefined; }
  get attributes() { return [...this.given].map(([name, value]) => ({ name, value })); }
  get children() { return this.childNodes.filter((child) => child.nodeType === 1); }
  get firstChild() { return this.childNodes[0] || null; }
  get nextSibling() { return this.parent.childNodes[this.parent.childNodes.indexOf(this) + 1] || null; }
  getAttribute(name) { return this.given.has(name) ? this.given.get(name) : null; }
  hasAttribute(name) { return this.given.has(name); }
  setAttribute(name, value) { this.given.set(name, value); }
  removeAttribute(name) { this.given.delete(name); }
  remove() { this.parent.childNodes.splice(this.parent.childNodes.indexOf(this), 1); this.parent = null; }
  insertBefore(child, place) {
    if (child.parent) { child.remove(); child.moves += 1; }
    const at = place ? this.childNodes.indexOf(place) : this.childNodes.length;
    if (at < 0) throw new Error("the place is not a child");
    this.childNodes.splice(at, 0, child);
    child.parent = this;
  }
  told() {
    if (this.nodeType === 3) return this.data;
    return [this.nodeName, Object.fromEntries(this.given), this.childNodes.map((child) => child.told())];
  }
  clone() {
    const children = this.childNodes.map((child) => child.clone());
    return new FakeNode(this.nodeName, { attributes: Object.fromEntries(this.given), data: this.data, children });
  }
}

const made = (tree) => {
  if (typeof tree === "string") return new FakeNode("#text", { data: tree });
  const [name, attributes = {}, children = []] = tree;
  return new FakeNode(name, { attributes, children: children.map(made) });
};

let calm;
const document = {
  getElementById: () => ({ dataset: {}, addEventListener() {} }),
  addEventListener() {},
  querySelector: () => null,
  documentElement: { dataset: {} },
  importNode: (node) => node.clone(),
};
const htmx = { defineExtension: (_name, extension) => { calm = extension; } };
const window = { htmx };
vm.runInNewContext(fs.readFileSync(process.argv[2], "utf8"), { document, window, htmx, Node: { ELEMENT_NODE: 1 } });

const { old, fresh } = JSON.parse(process.argv[3]);
const target = made(old);
const everybody = (node) => [node, ...node.childNodes.flatMap(everybody)];
const before = new Set(everybody(target));
const added = calm.handleSwap("calm", target, { firstElementChild: made(fresh) });
const after = everybody(target);
console.log(JSON.stringify({
  told: target.told(),
  added: added.length,
  kept: after.filter((node) => before.has(node) && node.id).map((node) => node.id),
  moved: after.filter((node) => node.moves).map((node) => node.id || node.nodeName),
}));
