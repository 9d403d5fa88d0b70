//! Reserved words of WGSL, and the predeclared names that the library uses.

/// Keywords and reserved words of the specification.
pub(super) const WORDS: &str = "
    abstract active alias alignas alignof as asm asm_fragment async attribute auto await become break case cast
    catch class co_await co_return co_yield coherent column_major common compile compile_fragment concept const
    const_assert const_cast consteval constexpr constinit continue continuing crate debugger decltype default delete
    demote demote_to_helper diagnostic discard do dynamic_cast else enable enum explicit export extends extern
    external fallthrough false filter final finally fn for friend from fxgroup get goto groupshared highp if impl
    implements import inline instanceof interface layout let loop lowp macro macro_rules match mediump meta mod
    module move mut mutable namespace new nil noexcept noinline nointerpolation non_coherent noncoherent
    noperspective null NULL nullptr of operator override package packoffset partition pass patch pixelfragment
    precise precision premerge priv protected pub public readonly ref regardless register reinterpret_cast require
    requires resource restrict return self Self set shared sizeof smooth snorm static static_assert static_cast std
    struct subroutine super switch target template this thread_local throw trait true try type typedef typeid
    typename typeof union unless unorm unsafe
    unsized use using var varying virtual volatile wgsl where while with
    writeonly yield";

/// Predeclared types and functions that the library uses, which nothing may shadow.
pub(super) const PREDECLARED: &str =
    "array atomic bitcast bool clamp countLeadingZeros f32 i32 max min ptr select u32 vec2 vec4";

/// Whether a name cannot be given to a function in the same module as the library.
pub(super) fn is_reserved(name: &str) -> bool {
    [WORDS, PREDECLARED].iter().any(|words| words.split_whitespace().any(|word| word == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found() {
        for word in ["fn", "from", "yield", "vec2"] {
            assert!(is_reserved(word), "{word}");
        }
        assert!(!is_reserved("lr_at") && !is_reserved(""));
    }

    #[cfg(feature = "gpu")]
    #[test]
    fn none_is_missing() {
        let refused = |word: &str| wgpu::naga::front::wgsl::parse_str(&format!("fn {word}() {{}}")).is_err();
        assert!(WORDS.split_whitespace().all(refused));
        for word in wgpu::naga::keywords::wgsl::RESERVED {
            assert!(is_reserved(word), "{word}");
        }
    }
}
