"use strict";
// The page's own evaluator: the packed block of src/packed/layout.rs in double precision, in the order of
// src/program/evaluate.rs. Steps are numbers below 2^53, so whole-number arithmetic on them is exact.
const Evaluator = (() => {
  const Curve = {{curves}};
  const HEIGHT = 6, SEGMENT = 20, TRACK = 14, STAGE = 16, PROGRAM = 6;
  const u64 = (words, at) => words[at] + words[at + 1] * 4294967296;
  const number = (words, at) => {
    const head = words[at], mantissa = words[at + 1] * 4294967296 + words[at + 2];
    if (mantissa === 0) return 0;
    const exponent = (head & 0x7fffffff) - 16384;
    const sign = head >>> 31 ? -1 : 1;
    if (exponent === 8191) return sign * Infinity;
    // In two parts, so that neither over- nor underflows on the way.
    const half = Math.trunc((exponent - 64) / 2);
    return sign * mantissa * 2 ** half * 2 ** (exponent - 64 - half);
  };
  const bits = new DataView(new ArrayBuffer(8));
  const double = (words, at) => {
    bits.setUint32(0, words[at + 1]);
    bits.setUint32(4, words[at]);
    return bits.getFloat64(0);
  };
  const divide = (a, b) => (a - a % b) / b;
  const bent = (w, warp) => warp === 1 ? w : w >= 1 ? 1 : -Math.expm1(warp * Math.log1p(-w));
  const halfCosine = (w) => Math.sin(Math.min(w, 1) * Math.PI / 2) ** 2;
  const shape = (kind, w, a, b) => {
    switch (kind) {
      case Curve.LINEAR: return w;
      case Curve.POWER: return bent(w, b) ** a;
      case Curve.COSINE: return halfCosine(w);
      case Curve.COSINE_POWER: return halfCosine(bent(w, b)) ** a;
      case Curve.COSINE_EXPONENTIAL: return Math.expm1(a * halfCosine(w) * Math.LN2);
      case Curve.EXPONENTIAL: return 2 ** w;
      case Curve.LOGISTIC: return 1 / (1 + 2 ** (a + w));
      case Curve.RATIONAL_FALLING: return 1 / (1 + w);
      case Curve.RATIONAL_RISING: return w / (1 + w);
      case Curve.EXPONENTIAL_MINUS_ONE: return Math.abs(Math.expm1(w * Math.LN2));
      default: return 1;
    }
  };

  function unpack(block) {
    const { programs, stages, tracks, segments, heights } = block;
    const segment = (i, h) => {
      const at = i * SEGMENT, height = h * HEIGHT, kind = segments[at + 17];
      const length = u64(segments, at + 2);
      let rate = number(segments, at + 8);
      // The block has 64 bits of the rate, a double 53: where it is one over the length, dividing keeps them all.
      const divisor = length < 2 ** 53 && length > 0 && Math.abs(rate * length - 1) < 4e-16 ? length : 0;
      return {
        start: u64(segments, at), length, quantum: kind & 0x200 ? u64(segments, at + 4) : 1,
        lead: kind & 0x400 ? u64(segments, at + 4) / 2 ** 64 : 0, origin: u64(segments, at + 6), rate, divisor,
        base: double(heights, height), amplitude: double(heights, height + 2), a: number(segments, at + 11),
        b: number(segments, at + 14), curve: kind & 0xff, reversed: (kind & 0x100) !== 0,
      };
    };
    const program = (i) => {
      const at = i * PROGRAM, stageFirst = programs[at], segmentFirst = programs[at + 2], heightFirst = programs[at + 4];
      const stage = (s) => {
        const at = (stageFirst + s) * STAGE, height = (heightFirst + stages[at + 6]) * HEIGHT;
        const scaling = stages[at + 7] === 0
          ? { offset: 0, scale: 1 }
          : { offset: double(heights, height), scale: double(heights, height + 2) };
        const track = (t) => {
          const at = t * TRACK, first = tracks[at + 4];
          return {
            advance: u64(tracks, at), period: u64(tracks, at + 2), repetition: tracks[at + 6], clamped: tracks[at + 7] !== 0,
            lower: number(tracks, at + 8), upper: number(tracks, at + 11),
            segments: Array.from({ length: tracks[at + 5] }, (_, k) => segment(segmentFirst + first + k, heightFirst + first + k)),
          };
        };
        return {
          start: u64(stages, at), ...scaling, lower: number(stages, at + 8), upper: number(stages, at + 11),
          clamped: stages[at + 14] !== 0, summed: stages[at + 15] !== 0,
          tracks: Array.from({ length: stages[at + 5] }, (_, k) => track(stages[at + 4] + k)),
        };
      };
      const quantum = u64(stages, stageFirst * STAGE + 2);
      return { quantum, stages: Array.from({ length: programs[at + 1] }, (_, k) => stage(k)) };
    };
    return program;
  }

  const clamp = (value, of) => of.clamped ? Math.min(Math.max(value, of.lower), of.upper) : value;
  // The last entry that starts at or before `at`; entries are sorted.
  const inForce = (entries, at) => {
    let low = 0, high = entries.length;
    while (low + 1 < high) {
      const middle = (low + high) >> 1;
      if (at < entries[middle].start) high = middle; else low = middle;
    }
    return entries[low];
  };
  function segmentValue(segment, step) {
    if (segment.curve === Curve.HOLD) return segment.base + segment.amplitude;
    const k = Math.min(divide(step - segment.start, segment.quantum), segment.length);
    const count = (segment.reversed ? Math.max(segment.origin - k, 0) : segment.origin + k) + segment.lead;
    let phase = segment.divisor ? count / segment.divisor : count * segment.rate;
    if (Math.abs(phase - 1) < 1e-15) phase = 1;
    return segment.base + segment.amplitude * shape(segment.curve, phase, segment.a, segment.b);
  }
  function trackValue(track, since) {
    let step = since + track.advance;
    if (track.repetition === 1) step %= track.period;
    if (track.repetition === 2) {
      step %= 2 * track.period;
      if (step > track.period) step = 2 * track.period - step;
    }
    return clamp(segmentValue(inForce(track.segments, step), step), track);
  }
  function value(program, step) {
    const tick = divide(step, program.quantum), stage = inForce(program.stages, tick), since = tick - stage.start;
    const values = stage.tracks.map((track) => trackValue(track, since));
    const together = stage.summed ? values.reduce((a, b) => a + b, 0) * stage.scale : values.reduce((a, b) => a * b, stage.scale);
    return clamp(stage.offset + together, stage);
  }
  // Steps around everything that happens in a range, at most `most` of them.
  function marks(program, start, end, most) {
    const found = [];
    const add = (tick) => {
      const step = tick * program.quantum;
      for (const at of [step - 1, step]) if (at >= start && at < end && found.length < most) found.push(at);
    };
    for (const stage of program.stages) {
      add(stage.start);
      for (const track of stage.tracks) {
        const period = track.repetition === 0 ? 0 : track.period * track.repetition;
        const first = period ? Math.max(0, divide(Math.max(0, divide(start, program.quantum) - stage.start), period)) : 0;
        for (let cycle = first; cycle <= first + (period ? 64 : 0); cycle++) {
          for (const segment of track.segments) {
            const stairs = segment.quantum > 1 && !period ? 64 : 0;
            const from = Math.max(0, divide(Math.max(0, start - segment.start), segment.quantum));
            for (let stair = 0; stair <= stairs; stair++) {
              add(stage.start + cycle * period + segment.start + (stairs ? (from + stair) * segment.quantum : 0) - track.advance);
            }
            if (segment.length < 2 ** 53) add(stage.start + cycle * period + segment.start + segment.length * segment.quantum - track.advance);
            if (track.repetition === 2) add(stage.start + cycle * period + period - segment.start - track.advance);
          }
        }
      }
    }
    return found;
  }
  return { unpack, value, marks };
})();

// The same block on the GPU, through the same WGSL as everywhere.
async function openGpu(block, wgsl) {
  if (!wgsl || !navigator.gpu) return null;
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) return null;
  const device = await adapter.requestDevice();
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code: wgsl });
  const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint: "page_values_at" } });
  const buffer = (words, usage) => {
    const made = device.createBuffer({ size: Math.max(16, words.byteLength), usage: usage | GPUBufferUsage.COPY_DST });
    device.queue.writeBuffer(made, 0, words);
    return made;
  };
  const tables = ["programs", "stages", "tracks", "segments", "heights"].map((name) => buffer(block[name], GPUBufferUsage.STORAGE));
  const wrong = await device.popErrorScope();
  if (wrong) throw new Error(wrong.message);
  return async (rows, steps) => {
    const words = new Uint32Array(steps.length * 2);
    steps.forEach((step, i) => { words[2 * i] = step % 4294967296; words[2 * i + 1] = Math.floor(step / 4294967296); });
    const made = [buffer(words, GPUBufferUsage.STORAGE), buffer(Uint32Array.from([steps.length, ...rows]), GPUBufferUsage.STORAGE)];
    const size = rows.length * steps.length * 4;
    const out = device.createBuffer({ size: Math.max(16, size), usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
    const back = device.createBuffer({ size: Math.max(16, size), usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const entries = [...tables, ...made, out].map((resource, binding) => ({ binding, resource: { buffer: resource } }));
    const encoder = device.createCommandEncoder(), pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(Math.ceil(steps.length / 64), rows.length);
    pass.end();
    encoder.copyBufferToBuffer(out, 0, back, 0, size);
    device.queue.submit([encoder.finish()]);
    await back.mapAsync(GPUMapMode.READ);
    const values = new Float32Array(back.getMappedRange().slice(0, size));
    [back, out, ...made].forEach((each) => each.destroy());
    return rows.map((_, row) => values.subarray(row * steps.length, (row + 1) * steps.length));
  };
}

const DATA = JSON.parse(document.getElementById("data").textContent);
const bytes = Uint8Array.from(atob(DATA.block), (c) => c.charCodeAt(0));
const words = new Uint32Array(bytes.buffer);
const block = {};
let offset = 0;
for (const [name, length] of DATA.tables) {
  block[name] = words.subarray(offset, offset + length);
  offset += length;
}
const unpack = Evaluator.unpack(block);
const programs = new Map();
const program = (row) => {
  if (!programs.has(row)) programs.set(row, unpack(row));
  return programs.get(row);
};
let gpu = null;
const state = { start: DATA.start, end: DATA.end, log: DATA.log, chosen: DATA.subjects.map((subject) => subject.axes.map(() => 0)) };

const rowOf = (subject, chosen) =>
  subject.first + subject.axes.reduce((row, axis, i) => row * axis.values.length + chosen[i], 0);
const evaluateJs = (rows, steps) => rows.map((row) => steps.map((step) => Evaluator.value(program(row), step)));
const evaluate = async (rows, steps) => {
  if (gpu) {
    try { return await gpu(rows, steps); } catch (error) { gpu = null; say("GPU failed: " + error.message); }
  }
  return evaluateJs(rows, steps);
};

const canvas = document.querySelector("canvas"), readout = document.getElementById("readout");
const short = (v) => v === 0 ? "0" : Math.abs(v) >= 1e-3 && Math.abs(v) < 1e5 ? String(+v.toPrecision(6)) : v.toExponential(5).replace(/\.?0+e/, "e");
const stepName = (s) => {
  for (const [unit, name] of [[1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]]) if (s >= unit) return +(s / unit).toFixed(3) + name;
  return String(s);
};
const nice = (step) => {
  const power = 10 ** Math.floor(Math.log10(step));
  return [1, 2, 5, 10].map((t) => t * power).find((t) => t >= step * 0.999999);
};
function say(text) { document.getElementById("backend").textContent = text; }

let drawn = null, busy = false, again = false;
async function draw() {
  if (busy) { again = true; return; }
  busy = true;
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const rows = [], colours = [];
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  DATA.subjects.forEach((subject, i) => {
    rows.push(rowOf(subject, state.chosen[i]));
    colours.push(subject.colour[dark ? 1 : 0]);
  });
  const ghosts = DATA.subjects.length === 1 ? DATA.ghosts : [];
  const all = [...ghosts, ...rows];
  const left = 70, right = 16, top = 14, bottom = 34;
  const columns = Math.max(1, Math.floor(width - left - right)), length = state.end - state.start;
  const even = new Set();
  const looks = Math.min(length, columns * 4);
  for (let i = 0; i < looks; i++) even.add(state.start + Math.floor(length * i / looks));
  even.add(state.end - 1);
  for (const row of rows) Evaluator.marks(program(row), state.start, state.end, 8192).forEach((step) => even.add(step));
  const steps = [...even].sort((a, b) => a - b);
  const values = await evaluate(all, steps);
  let low = Infinity, high = -Infinity, least = Infinity;
  for (const line of values) for (const v of line) {
    if (!Number.isFinite(v)) continue;
    low = Math.min(low, v);
    high = Math.max(high, v);
    if (v > 0) least = Math.min(least, v);
  }
  if (low > high) [low, high] = [0, 1];
  const log = state.log && high > 0;
  const ticks = [];
  if (log) {
    const from = Math.floor(Math.log10(Math.max(least, high * 1e-8))), to = Math.max(Math.ceil(Math.log10(high)), from + 1);
    low = 10 ** from;
    high = 10 ** to;
    for (let e = from; e <= to; e++) ticks.push([10 ** e, "1e" + e]);
  } else {
    low = Math.min(low, 0);
    high = Math.max(high, low < 0 ? 0 : high);
    if (high === low) high = low + 1;
    const step = nice((high - low) / 5);
    for (let n = Math.floor(low / step); n <= Math.ceil(high / step - 1e-9); n++) ticks.push([n * step, short(+(n * step).toPrecision(10))]);
    low = ticks[0][0];
    high = ticks[ticks.length - 1][0];
  }
  const x = (step) => left + (step - state.start) / length * columns;
  const y = (v) => top + (height - top - bottom) * (1 - Math.min(1, Math.max(0, log ? Math.log(Math.max(v, low) / low) / Math.log(high / low) : (v - low) / (high - low))));
  const style = getComputedStyle(document.body), ink = (name) => style.getPropertyValue(name);
  const paint = canvas.getContext("2d");
  paint.scale(ratio, ratio);
  paint.font = "12px system-ui, sans-serif";
  paint.textAlign = "right";
  for (const [value, label] of ticks) {
    paint.fillStyle = ink("--muted");
    paint.fillText(label, left - 8, y(value) + 4);
    paint.fillStyle = ink("--grid");
    paint.fillRect(left, Math.round(y(value)), columns, 1);
  }
  paint.textAlign = "center";
  paint.fillStyle = ink("--muted");
  const every = Math.max(1, nice(length / Math.max(2, Math.floor(columns / 110))));
  for (let at = Math.ceil(state.start / every) * every; at <= state.end; at += every) {
    paint.fillText(stepName(at), x(at), height - 12);
    paint.fillRect(x(at), height - bottom, 1, 5);
  }
  values.forEach((line, index) => {
    const ghost = index < ghosts.length;
    paint.strokeStyle = ghost ? ink("--ghost") : colours[index - ghosts.length];
    paint.lineWidth = ghost ? 1 : 2;
    paint.lineJoin = "round";
    paint.beginPath();
    // Per pixel: the first, the least, the greatest and the last value, in order.
    let pen = false;
    for (let i = 0; i < steps.length;) {
      const pixel = Math.floor(x(steps[i]));
      let j = i, min = i, max = i;
      while (j < steps.length && Math.floor(x(steps[j])) === pixel) {
        if (line[j] < line[min]) min = j;
        if (line[j] > line[max]) max = j;
        j++;
      }
      for (const k of [...new Set([i, Math.min(min, max), Math.max(min, max), j - 1])]) {
        if (!Number.isFinite(line[k])) continue;
        if (pen) paint.lineTo(x(steps[k]), y(line[k])); else paint.moveTo(x(steps[k]), y(line[k]));
        pen = true;
      }
      i = j;
    }
    paint.stroke();
  });
  drawn = { left, columns, length };
  busy = false;
  if (again) { again = false; await draw(); }
}

function stepAt(clientX) {
  const at = (clientX - canvas.getBoundingClientRect().left - drawn.left) / drawn.columns;
  return Math.min(state.end - 1, Math.max(state.start, state.start + Math.floor(at * drawn.length)));
}
function read(step) {
  const values = DATA.subjects.map((subject, i) => {
    const value = Evaluator.value(program(rowOf(subject, state.chosen[i])), step);
    return (DATA.subjects.length > 1 ? subject.name + " " : "") + short(value);
  });
  readout.textContent = "step " + step.toLocaleString("en") + ": " + values.join(", ");
}
function zoom(start, end) {
  const least = 8, length = Math.max(least, Math.min(DATA.end - DATA.start, Math.round(end - start)));
  state.start = Math.max(DATA.start, Math.min(DATA.end - length, Math.round(start)));
  state.end = Math.min(DATA.end, state.start + length);
  return draw();
}
const hair = document.getElementById("hair");
let drag = null;
canvas.addEventListener("pointermove", (event) => {
  if (!drawn) return;
  hair.style.display = "block";
  hair.style.left = event.clientX - canvas.getBoundingClientRect().left + "px";
  read(stepAt(event.clientX));
  if (drag) {
    const moved = (drag.x - event.clientX) / drawn.columns * drawn.length;
    zoom(drag.start + moved, drag.start + moved + drawn.length);
  }
});
canvas.addEventListener("pointerleave", () => { hair.style.display = "none"; });
canvas.addEventListener("pointerdown", (event) => { drag = { x: event.clientX, start: state.start }; canvas.setPointerCapture(event.pointerId); });
canvas.addEventListener("pointerup", () => { drag = null; });
canvas.addEventListener("dblclick", () => zoom(DATA.start, DATA.end));
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  const at = stepAt(event.clientX), factor = 1.25 ** Math.sign(event.deltaY);
  zoom(at - (at - state.start) * factor, at + (state.end - at) * factor);
}, { passive: false });
canvas.addEventListener("keydown", (event) => {
  const length = state.end - state.start, middle = (state.start + state.end) / 2;
  if (event.key === "+" || event.key === "=") zoom(middle - length / 4, middle + length / 4);
  else if (event.key === "-") zoom(middle - length, middle + length);
  else if (event.key === "ArrowLeft") zoom(state.start - length / 4, state.end - length / 4);
  else if (event.key === "ArrowRight") zoom(state.start + length / 4, state.end + length / 4);
  else if (event.key === "0") zoom(DATA.start, DATA.end);
  else return;
  event.preventDefault();
});
const toggle = document.getElementById("log");
toggle.checked = state.log;
toggle.addEventListener("change", () => { state.log = toggle.checked; draw(); });
document.getElementById("reset").addEventListener("click", () => zoom(DATA.start, DATA.end));

const sliders = document.getElementById("sliders");
DATA.subjects.forEach((subject, s) => subject.axes.forEach((axis, a) => {
  if (axis.values.length < 2) return;
  const label = document.createElement("label"), input = document.createElement("input"), shown = document.createElement("output");
  label.append((DATA.subjects.length > 1 ? subject.name + ": " : "") + axis.name, input, shown);
  Object.assign(input, { type: "range", min: 0, max: axis.values.length - 1, step: 1, value: 0 });
  const update = () => {
    state.chosen[s][a] = +input.value;
    shown.textContent = typeof axis.values[input.value] === "number" ? short(axis.values[input.value]) : axis.values[input.value];
  };
  state.chosen[s][a] = Math.floor((axis.values.length - 1) / 2);
  input.value = state.chosen[s][a];
  update();
  input.addEventListener("input", () => { update(); draw(); });
  sliders.append(label);
}));
const legend = document.getElementById("legend");
if (DATA.subjects.length > 1) for (const subject of DATA.subjects) {
  const entry = document.createElement("span"), swatch = document.createElement("i");
  swatch.style.background = subject.colour[matchMedia("(prefers-color-scheme: dark)").matches ? 1 : 0];
  entry.append(swatch, subject.name);
  legend.append(entry);
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
new ResizeObserver(draw).observe(canvas);

// What a test, or a curious reader, can ask the page.
window.lrgrid = {
  rows: () => DATA.subjects.map((subject, i) => rowOf(subject, state.chosen[i])),
  points: () => DATA.subjects.map((subject, i) => subject.axes.map((axis, a) => axis.values[state.chosen[i][a]])),
  evaluate: (steps) => evaluate(window.lrgrid.rows(), steps).then((lines) => lines.map((line) => [...line])),
  evaluateJs: (steps) => evaluateJs(window.lrgrid.rows(), steps),
  ready: (async () => {
    // What a reader sees does not wait for a shader to be compiled.
    await draw();
    const wgsl = document.getElementById("wgsl").textContent;
    try { gpu = await openGpu(block, wgsl); } catch (error) { gpu = null; console.info("no WebGPU: " + error.message); }
    say(gpu ? "computed with WebGPU" : "computed in JavaScript");
    await draw();
    return gpu ? "webgpu" : "javascript";
  })(),
};
