//! The shader against its Rust twins, by reflection: layouts, ids, constants, polynomials. Needs no GPU.
#![cfg(feature = "gpu")]

use std::collections::BTreeSet;
use std::mem::offset_of;

use lrgrid::Dtype;
use lrgrid::curve::table;
use lrgrid::gpu::shader::{
    self, LIBRARY, PackedPartial, PackedReduction, PackedTile, REDUCTION_CHUNK, STATISTICS, STORE, STORE_WORDS, TABLE,
    WORKGROUP_SIZE, Way, entry_point,
};
use lrgrid::packed::{
    EXPONENT_BIAS, FLAG_LEAD, FLAG_QUANTUM, FLAG_REVERSED, PackedHeight, PackedNumber, PackedProgram, PackedSegment,
    PackedStage, PackedTrack, REPEAT_NONE, REPEAT_REFLECT, REPEAT_RESTART, SIGN_BIT,
};
use lrgrid::program::MAX_TRACKS;
use lrgrid::wgsl;
use wgpu::naga::{self, Block, Literal, Module, Statement, SwitchValue, TypeInner};

fn parse(source: &str) -> Module {
    let module = naga::front::wgsl::parse_str(source).unwrap_or_else(|e| panic!("{}", e.emit_to_string(source)));
    let mut validator =
        naga::valid::Validator::new(naga::valid::ValidationFlags::all(), naga::valid::Capabilities::empty());
    validator.validate(&module).unwrap_or_else(|e| panic!("{}", e.emit_to_string(source)));
    module
}

fn module() -> Module {
    parse(&[LIBRARY, TABLE].concat())
}

/// Every module-level constant that is a plain literal.
fn constants(module: &Module) -> impl Iterator<Item = (&str, i64)> {
    module.constants.iter().filter_map(|(_, constant)| {
        let value = match module.global_expressions[constant.init] {
            naga::Expression::Literal(Literal::U32(value)) => i64::from(value),
            naga::Expression::Literal(Literal::I32(value)) => i64::from(value),
            _ => return None,
        };
        Some((constant.name.as_deref()?, value))
    })
}

fn constant(module: &Module, name: &str) -> i64 {
    constants(module).find(|(n, _)| *n == name).unwrap_or_else(|| panic!("the shader has no constant {name}")).1
}

/// Checks a struct's members, their order and offsets, and its size.
macro_rules! same_layout {
    ($module:expr, $name:literal, $twin:ident { $($field:ident),* }) => {{
        let (_, found) = $module.types.iter().find(|(_, t)| t.name.as_deref() == Some($name)).expect($name);
        let TypeInner::Struct { members, span } = &found.inner else { panic!("{} is no struct", $name) };
        let got: Vec<_> = members.iter().map(|m| (m.name.clone().unwrap_or_default(), m.offset as usize)).collect();
        let want = vec![$((stringify!($field).to_owned(), offset_of!($twin, $field))),*];
        assert_eq!(got, want, $name);
        assert_eq!(*span as usize, size_of::<$twin>(), $name);
        // Naming every field here makes a new one fail to compile.
        let _ = |twin: $twin| { let $twin { $($field: _),* } = twin; };
    }};
}

#[test]
fn layouts_agree() {
    let module = module();
    same_layout!(module, "LrgridPackedNumber", PackedNumber { head, high, low });
    same_layout!(
        module,
        "LrgridSegment",
        PackedSegment { start, length, quantum, origin, rate, a, b, kind, rate_rest }
    );
    same_layout!(module, "LrgridHeight", PackedHeight { base, amplitude, base_rest, amplitude_rest });
    same_layout!(
        module,
        "LrgridTrack",
        PackedTrack { advance, period, segment_first, segment_count, repetition, clamped, lower, upper }
    );
    same_layout!(
        module,
        "LrgridStage",
        PackedStage { start, quantum, track_first, track_count, height, scaled, lower, upper, clamped, summed }
    );
    same_layout!(
        module,
        "LrgridProgram",
        PackedProgram { stage_first, stage_count, segment_first, segment_count, height_first, height_count }
    );
    same_layout!(
        module,
        "LrgridTile",
        PackedTile { start, stride, program_first, rows, columns, groups, listed, row_blocks, padding, zero }
    );
}

/// Every curve's id under its name in the shader.
fn curves() -> Vec<(String, u32)> {
    table::TABLE.iter().map(|row| (format!("LRGRID_{}", row.constant), row.id)).collect()
}

const REPETITIONS: [(&str, u32); 3] = [
    ("LRGRID_REPEAT_NONE", REPEAT_NONE),
    ("LRGRID_REPEAT_RESTART", REPEAT_RESTART),
    ("LRGRID_REPEAT_REFLECT", REPEAT_REFLECT),
];

#[test]
fn ids_and_flags_agree() {
    let module = module();
    let others = [
        ("LRGRID_FLAG_REVERSED", i64::from(FLAG_REVERSED)),
        ("LRGRID_FLAG_QUANTUM", i64::from(FLAG_QUANTUM)),
        ("LRGRID_FLAG_LEAD", i64::from(FLAG_LEAD)),
        ("LRGRID_SIGN_BIT", i64::from(SIGN_BIT)),
        ("LRGRID_EXPONENT_BIAS", i64::from(EXPONENT_BIAS)),
        ("LRGRID_USES_WARP", i64::from(wgsl::USES_WARP)),
        ("LRGRID_USES_QUANTUM", i64::from(wgsl::USES_QUANTUM)),
        ("LRGRID_USES_REPETITION", i64::from(wgsl::USES_REPETITION)),
        ("LRGRID_USES_CLAMP", i64::from(wgsl::USES_CLAMP)),
        ("LRGRID_USES_LONG_DIVISION", i64::from(wgsl::USES_LONG_DIVISION)),
        ("LRGRID_USES_PRODUCT", i64::from(wgsl::USES_PRODUCT)),
        ("LRGRID_USES_LEAD", i64::from(wgsl::USES_LEAD)),
        ("LRGRID_USES_SUM", i64::from(wgsl::USES_SUM)),
        ("LRGRID_WORKGROUP_SIZE", i64::from(WORKGROUP_SIZE)),
        ("LRGRID_GROUP", i64::from(shader::GROUP)),
        ("LRGRID_OCTET", i64::from(shader::OCTET)),
        ("LRGRID_MAX_OCTETS", i64::from(shader::MAX_OCTETS)),
        ("LRGRID_MAX_TRACKS", MAX_TRACKS as i64),
    ];
    let curves = curves();
    let ids = curves.iter().map(|(name, id)| (name.as_str(), *id)).chain(REPETITIONS);
    for (name, want) in ids.map(|(name, id)| (name, i64::from(id))).chain(others) {
        assert_eq!(constant(&module, name), want, "{name}");
    }
    let overrides: Vec<_> = module.overrides.iter().filter_map(|(_, o)| o.name.as_deref()).collect();
    assert_eq!(overrides, [shader::USED]);
    assert!(curves.iter().all(|(_, id)| *id < wgsl::USES_WARP), "curves and features share a word");
    // The mask leaves every id and no flag.
    let mask = constant(&module, "LRGRID_KIND_MASK");
    assert!(curves.iter().all(|(_, id)| i64::from(*id) & mask == i64::from(*id)));
    assert_eq!(i64::from(FLAG_REVERSED | FLAG_QUANTUM | FLAG_LEAD) & mask, 0);
}

/// Calls `visit` with every value that a `switch` of the block selects on.
fn arms(block: &Block, visit: &mut impl FnMut(u32)) {
    for statement in block.iter() {
        match statement {
            Statement::Switch { cases, .. } => {
                for case in cases {
                    if let SwitchValue::U32(value) = case.value {
                        visit(value);
                    }
                    arms(&case.body, visit);
                }
            }
            Statement::Block(inner) => arms(inner, visit),
            Statement::If { accept, reject, .. } => {
                arms(accept, visit);
                arms(reject, visit);
            }
            Statement::Loop { body, continuing, .. } => {
                arms(body, visit);
                arms(continuing, visit);
            }
            _ => {}
        }
    }
}

#[test]
fn every_id_has_an_arm() {
    let module = module();
    let ids: [Vec<u32>; 2] = [curves().into_iter().map(|(_, id)| id).collect(), REPETITIONS.map(|(_, id)| id).to_vec()];
    for (function, ids) in ["lrgrid_shape", "lrgrid_fold"].into_iter().zip(ids) {
        let (_, found) = module.functions.iter().find(|(_, f)| f.name.as_deref() == Some(function)).expect(function);
        let mut seen = BTreeSet::new();
        arms(&found.body, &mut |value| assert!(seen.insert(value), "{function} has two arms for {value}"));
        assert_eq!(seen, ids.into_iter().collect(), "{function}");
    }
}

#[test]
fn entry_points_are_those_of_the_types() {
    let module = module();
    let found: BTreeSet<&str> = module.entry_points.iter().map(|entry| entry.name.as_str()).collect();
    let of = |way| Dtype::ALL.into_iter().filter_map(move |dtype| entry_point(dtype, way));
    assert_eq!(found, of(Way::Blocks).chain(of(Way::Values)).collect());
    for entry in &module.entry_points {
        assert_eq!(entry.workgroup_size, [WORKGROUP_SIZE, 1, 1], "{}", entry.name);
    }
}

#[test]
fn the_library_can_be_appended_to_another_shader() {
    let own = "@group(1) @binding(0) var<storage, read_write> rates: array<f32>;
        @compute @workgroup_size(1) fn main() { rates[0] = lr_at(0u, vec2<u32>(7u, 0u)); }\n";
    let module = parse(&[own, LIBRARY].concat());
    let ours = |name: &str| name.to_lowercase().starts_with("lrgrid_") || name.starts_with("Lrgrid") || name == "lr_at";
    let functions = module.functions.iter().filter_map(|(_, f)| f.name.as_deref());
    let globals = module.global_variables.iter().filter_map(|(_, v)| v.name.as_deref()).filter(|name| *name != "rates");
    let structs = module.types.iter().filter_map(|(_, t)| t.name.as_deref());
    for name in functions.chain(globals).chain(structs).chain(constants(&module).map(|(name, _)| name)) {
        assert!(ours(name), "{name} might clash with a name of the user's");
    }
}

#[test]
fn the_library_computes_in_integers_only() {
    let module = parse(LIBRARY);
    for (_, ty) in module.types.iter().filter(|(_, ty)| ty.name.is_none()) {
        let scalar = match ty.inner {
            TypeInner::Scalar(scalar) | TypeInner::Vector { scalar, .. } => scalar,
            _ => continue,
        };
        // lr_at hands a bit pattern over as f32, and nothing else knows the type.
        let users =
            module.functions.iter().filter(|(_, f)| f.result.as_ref().is_some_and(|r| module.types[r.ty] == *ty));
        let users: Vec<_> = users.filter_map(|(_, f)| f.name.as_deref()).collect();
        assert!(scalar.kind != naga::ScalarKind::Float || users == ["lr_at"], "{ty:?} is used by {users:?}");
    }
}

/// The polynomial `LRGRID_{name}_0`, `_1`, …: the constants' magnitudes in 0.32.
fn polynomial(module: &Module, name: &str, alternating: bool, x: f64) -> f64 {
    let coefficient = |k: usize| {
        let wanted = format!("LRGRID_{name}_{k}");
        constants(module).find(|(n, _)| *n == wanted).map(|(_, value)| value as f64 / 2f64.powi(32))
    };
    let coefficients: Vec<f64> = (0..).map_while(coefficient).collect();
    assert!(coefficients.len() >= 5, "{name}");
    let sign = if alternating { -1.0 } else { 1.0 };
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x * sign + c)
}

#[test]
fn polynomials_are_their_functions() {
    use std::f64::consts::{LN_2, PI};
    let module = module();
    type Function = fn(f64) -> f64;
    let functions: [(&str, bool, f64, Function); 5] = [
        ("EXP2", false, 1.0, |x| (x * LN_2).exp_m1() / x),
        ("EXP2_FALLING", true, 1.0, |x| -(-x * LN_2).exp_m1() / x),
        ("LOG2_1M", false, 1.0, |x| -(-x / 16.0).ln_1p() / LN_2 / (x / 8.0)),
        // The closed form cancels to nothing near 0, so its series.
        ("LOG2", true, 0.724, |x| (0..40).map(|k| (-x / 8.0).powi(k) / (LN_2 * f64::from(k + 3))).sum()),
        ("SINE", true, 0.5, |x| {
            let factorial = |n: i32| (1..=n).map(f64::from).product::<f64>();
            let term = |k: i32| (-x / 2.0).powi(k) * PI.powi(2 * k + 4) / (8.0 * factorial(2 * k + 4));
            (0..15).map(term).sum()
        }),
    ];
    for (name, alternating, end, function) in functions {
        for i in 1..=1000 {
            let x = end * f64::from(i) / 1000.0;
            let off = (polynomial(&module, name, alternating, x) - function(x)).abs();
            assert!(off <= 2f64.powi(-31), "{name}({x}) is off by {off:e}");
        }
    }
}

#[test]
fn wide_constants_are_their_values() {
    use std::f64::consts::{LN_2, PI};
    let module = module();
    let wide = |name: &str| {
        let half = |part| constant(&module, &format!("LRGRID_{name}_{part}")) as f64;
        half("HIGH") / 2f64.powi(32) + half("LOW") / 2f64.powi(64)
    };
    let mut expected = vec![
        ("SINE_LEADING".to_owned(), PI * PI / 16.0),
        ("LOG2_LINEAR".to_owned(), 1.0 / LN_2 - 1.0),
        ("LOG2_SQUARE".to_owned(), 0.5 / LN_2),
    ];
    expected.extend((1..8).map(|i| (format!("ROOT_{i}"), (-f64::from(i) / 8.0).exp2())));
    for (name, want) in expected {
        assert!((wide(&name) - want).abs() <= 2e-16, "{name}");
    }
    for i in 1..8 {
        let from = constant(&module, &format!("LRGRID_ROOT_{i}_FROM")) as f64;
        assert_eq!(from, ((f64::from(i) / 8.0).exp2() * 2f64.powi(31)).ceil(), "threshold {i}");
    }
}

/// The literals of a constant array.
fn array(module: &Module, name: &str) -> Vec<i64> {
    let found = module.constants.iter().find(|(_, constant)| constant.name.as_deref() == Some(name));
    let Some(naga::Expression::Compose { components, .. }) = found.map(|(_, c)| &module.global_expressions[c.init])
    else {
        panic!("{name} is no array")
    };
    let literal = |component: &naga::Handle<naga::Expression>| match module.global_expressions[*component] {
        naga::Expression::Literal(Literal::U32(value)) => i64::from(value),
        naga::Expression::Literal(Literal::I32(value)) => i64::from(value),
        ref other => panic!("{name} holds {other:?}"),
    };
    components.iter().map(literal).collect()
}

#[test]
fn weights_interpolate() {
    let module = module();
    let nodes: Vec<f64> = array(&module, "LRGRID_NODES").iter().map(|&node| (node - 32) as f64 / 32.0).collect();
    let (check, nodes) = nodes.split_last().unwrap();
    assert_eq!((nodes[0], nodes[6]), (-1.0, 1.0), "the line goes through the ends");
    let weights = array(&module, "LRGRID_WEIGHTS");
    let rows: Vec<&[i64]> = weights.chunks_exact(nodes.len()).collect();
    assert_eq!(rows.len(), 8);
    for power in 0..7 {
        // The polynomial through the values of x^power is x^power.
        let sum = |row: &[i64]| {
            let terms = row.iter().zip(nodes).map(|(&weight, node)| weight as f64 * 2f64.powi(-27) * node.powi(power));
            terms.sum::<f64>()
        };
        for (index, row) in rows[..7].iter().enumerate() {
            let want = if index == power as usize { 1.0 } else { 0.0 };
            assert!((sum(row) - want).abs() < 3e-8, "coefficient {index} of x^{power}: {}", sum(row));
        }
        assert!((sum(rows[7]) - check.powi(power)).abs() < 3e-8, "the check of x^{power}");
    }
}

#[test]
fn what_only_stores_has_the_kernels_shape() {
    let module = parse(STORE);
    assert_eq!(constant(&module, "LRGRID_STORE_WORDS"), i64::from(STORE_WORDS));
    assert_eq!(module.entry_points.len(), 1);
    assert_eq!(module.entry_points[0].workgroup_size, [WORKGROUP_SIZE, 1, 1]);
}

#[test]
fn what_reduces_agrees_with_its_twins() {
    let module = parse(STATISTICS);
    same_layout!(
        module,
        "LrgridReduction",
        PackedReduction { rows, columns, pitch, chunks, format, threshold, padding }
    );
    same_layout!(
        module,
        "LrgridPartial",
        PackedPartial { sum, squares, exponent, min, min_column, max, max_column, last, above, padding }
    );
    for (name, want) in [
        ("LRGRID_CHUNK", REDUCTION_CHUNK),
        ("LRGRID_REDUCE_F32", PackedReduction::F32),
        ("LRGRID_REDUCE_F16", PackedReduction::F16),
        ("LRGRID_REDUCE_BF16", PackedReduction::BF16),
    ] {
        assert_eq!(constant(&module, name), i64::from(want), "{name}");
    }
    let reducers = constant(&module, "LRGRID_REDUCERS");
    assert_eq!(module.entry_points[0].workgroup_size.map(i64::from), [reducers, 1, 1]);
}
