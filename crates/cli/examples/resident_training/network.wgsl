// A small classifier, many times: 2 inputs, two hidden layers of 16, one output. A workgroup trains one network.
//
// Group 0 is the training's own, group 1 what lrgrid brings, group 2 what a host would feed instead.

const HIDDEN: u32 = 16u;
// Samples in a step: one for each thread.
const BATCH: u32 = 64u;

// Where each layer's parameters begin.
const W1: u32 = 0u;
const B1: u32 = 32u;
const W2: u32 = 48u;
const B2: u32 = 304u;
const W3: u32 = 320u;
const B3: u32 = 336u;
const PARAMETERS: u32 = 337u;

const BETA1: f32 = 0.9;
const BETA2: f32 = 0.99;
const EPSILON: f32 = 1e-8;

// Position, and the class as 0 or 1.
@group(0) @binding(0) var<storage, read> samples: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> weights: array<f32>;
@group(0) @binding(2) var<storage, read_write> gradients: array<f32>;
// First and second moment of each gradient.
@group(0) @binding(3) var<storage, read_write> moments: array<vec2<f32>>;
// 1 - beta^t of each network: kept by q' = beta q + (1 - beta), which does not cancel.
@group(0) @binding(4) var<storage, read_write> corrections: array<vec2<f32>>;
// Loss, and the share of samples on the right side.
@group(0) @binding(5) var<storage, read_write> results: array<vec2<f32>>;

// The step that the device counts.
@group(1) @binding(1) var<storage, read> counter: array<vec2<u32>>;

// What the host writes before each step in the loop that is compared with.
struct Fed {
    step: vec4<u32>,
    rates: array<vec4<f32>, 4080>,
}
@group(2) @binding(0) var<uniform> fed: Fed;

var<workgroup> parameters: array<f32, PARAMETERS>;
// Of each sample: a layer's outputs, later what the loss changes by with its inputs.
var<workgroup> first: array<f32, BATCH * HIDDEN>;
var<workgroup> second: array<f32, BATCH * HIDDEN>;
var<workgroup> outer: array<f32, BATCH>;
var<workgroup> rate: f32;
var<workgroup> correction: vec2<f32>;

fn load(network: u32, lane: u32) {
    for (var i = lane; i < PARAMETERS; i += BATCH) {
        parameters[i] = weights[network * PARAMETERS + i];
    }
    workgroupBarrier();
}

// Softsign, and its slope in terms of its value.
fn activation(x: f32) -> f32 {
    return x / (1.0 + abs(x));
}

fn slope(y: f32) -> f32 {
    let rest = 1.0 - abs(y);
    return rest * rest;
}

// The output for a sample; leaves the layers' outputs in this lane's places.
fn forward(position: vec2<f32>, lane: u32) -> f32 {
    for (var i = 0u; i < HIDDEN; i++) {
        let sum = parameters[W1 + 2u * i] * position.x + parameters[W1 + 2u * i + 1u] * position.y;
        first[lane * HIDDEN + i] = activation(sum + parameters[B1 + i]);
    }
    var output = parameters[B3];
    for (var i = 0u; i < HIDDEN; i++) {
        var sum = parameters[B2 + i];
        for (var j = 0u; j < HIDDEN; j++) {
            sum += parameters[W2 + i * HIDDEN + j] * first[lane * HIDDEN + j];
        }
        let y = activation(sum);
        second[lane * HIDDEN + i] = y;
        output += parameters[W3 + i] * y;
    }
    return output;
}

// Writes the gradient of a batch's mean loss.
fn differentiate(network: u32, lane: u32, step: u32) {
    load(network, lane);
    let batches = arrayLength(&samples) / BATCH;
    let sample = samples[(step % batches) * BATCH + lane];
    let output = forward(sample.xy, lane);
    outer[lane] = (1.0 / (1.0 + exp(-output)) - sample.z) / f32(BATCH);
    workgroupBarrier();
    let at = network * PARAMETERS;
    if (lane <= HIDDEN) {
        // The output layer: a thread for each weight, and one for the bias.
        var sum = 0.0;
        for (var s = 0u; s < BATCH; s++) {
            sum += outer[s] * select(1.0, second[s * HIDDEN + min(lane, HIDDEN - 1u)], lane < HIDDEN);
        }
        gradients[at + W3 + lane] = sum;
    }
    workgroupBarrier();
    for (var i = 0u; i < HIDDEN; i++) {
        let y = second[lane * HIDDEN + i];
        second[lane * HIDDEN + i] = outer[lane] * parameters[W3 + i] * slope(y);
    }
    workgroupBarrier();
    for (var w = lane; w < HIDDEN * HIDDEN; w += BATCH) {
        var sum = 0.0;
        for (var s = 0u; s < BATCH; s++) {
            sum += second[s * HIDDEN + w / HIDDEN] * first[s * HIDDEN + w % HIDDEN];
        }
        gradients[at + W2 + w] = sum;
    }
    if (lane < HIDDEN) {
        var sum = 0.0;
        for (var s = 0u; s < BATCH; s++) {
            sum += second[s * HIDDEN + lane];
        }
        gradients[at + B2 + lane] = sum;
    }
    workgroupBarrier();
    for (var j = 0u; j < HIDDEN; j++) {
        var sum = 0.0;
        for (var i = 0u; i < HIDDEN; i++) {
            sum += parameters[W2 + i * HIDDEN + j] * second[lane * HIDDEN + i];
        }
        let y = first[lane * HIDDEN + j];
        first[lane * HIDDEN + j] = sum * slope(y);
    }
    workgroupBarrier();
    if (lane < 3u * HIDDEN) {
        // Two weights and a bias for each unit.
        let unit = select(lane - 2u * HIDDEN, lane / 2u, lane < 2u * HIDDEN);
        var sum = 0.0;
        for (var s = 0u; s < BATCH; s++) {
            let position = samples[(step % batches) * BATCH + s];
            let input = select(1.0, select(position.x, position.y, lane % 2u == 1u), lane < 2u * HIDDEN);
            sum += first[s * HIDDEN + unit] * input;
        }
        gradients[at + W1 + lane] = sum;
    }
}

// Adam, with a rate that the workgroup's first thread has found.
fn optimize(network: u32, lane: u32, found: f32) {
    if (lane == 0u) {
        rate = found;
        let betas = vec2<f32>(BETA1, BETA2);
        correction = betas * corrections[network] + (vec2<f32>(1.0, 1.0) - betas);
        corrections[network] = correction;
    }
    workgroupBarrier();
    for (var i = lane; i < PARAMETERS; i += BATCH) {
        let at = network * PARAMETERS + i;
        let g = gradients[at];
        let m = BETA1 * moments[at].x + (1.0 - BETA1) * g;
        let v = BETA2 * moments[at].y + (1.0 - BETA2) * g * g;
        moments[at] = vec2<f32>(m, v);
        weights[at] -= rate * (m / correction.x) / (sqrt(v / correction.y) + EPSILON);
    }
}

@compute @workgroup_size(64)
fn differentiate_resident(@builtin(workgroup_id) at: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    differentiate(at.x, lane, counter[0].x);
}

// The learning rate comes from the schedules, here on the device.
@compute @workgroup_size(64)
fn optimize_resident(@builtin(workgroup_id) at: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    var found = 0.0;
    if (lane == 0u) {
        found = lr_at(at.x, counter[0]);
    }
    optimize(at.x, lane, found);
}

@compute @workgroup_size(64)
fn differentiate_fed(@builtin(workgroup_id) at: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    differentiate(at.x, lane, fed.step.x);
}

@compute @workgroup_size(64)
fn optimize_fed(@builtin(workgroup_id) at: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    optimize(at.x, lane, fed.rates[at.x / 4u][at.x % 4u]);
}

// Loss and accuracy over all samples.
@compute @workgroup_size(64)
fn judge(@builtin(workgroup_id) at: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    load(at.x, lane);
    var loss = 0.0;
    var right = 0.0;
    for (var s = lane; s < arrayLength(&samples); s += BATCH) {
        let sample = samples[s];
        let output = forward(sample.xy, lane);
        loss += max(output, 0.0) - sample.z * output + log(1.0 + exp(-abs(output)));
        right += select(0.0, 1.0, (output > 0.0) == (sample.z > 0.5));
    }
    first[lane] = loss;
    second[lane] = right;
    workgroupBarrier();
    if (lane == 0u) {
        var sum = vec2<f32>(0.0, 0.0);
        for (var i = 0u; i < BATCH; i++) {
            sum += vec2<f32>(first[i], second[i]);
        }
        results[at.x] = sum / f32(arrayLength(&samples));
    }
}
