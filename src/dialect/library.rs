//! Macros for the two kinds of lists: of libraries, and of each library's schedules.

/// The list of libraries: module and type of each.
macro_rules! libraries {
    ($($module:ident $library:ident,)*) => {
        /// Every library, in the order of the documentation.
        pub const LIBRARIES: &[Library] = &[$($module::LIBRARY),*];

        /// Reads and translates a library's schedule: a table with `name` and `args`.
        ///
        /// # Errors
        /// When there is no such library or schedule, or its arguments are wrong: with the key's path.
        pub fn read<'de, D>(library: &str, call: D) -> Result<Translation, SpecError>
        where
            D: Deserializer<'de, Error = SpecError>,
        {
            $(if $module::LIBRARY.is_called(library) {
                let schedule: $module::$library = serde::Deserialize::deserialize(call)?;
                return checked(schedule.translate()?);
            })*
            Err(SpecError::new("library", format!("unknown library \"{library}\"")))
        }

        /// The JSON schema of a call of one of a library's schedules, by library.
        pub fn call_schemas(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
            vec![$(($module::LIBRARY.name, generator.subschema_for::<$module::$library>())),*]
        }

        /// Checks that the native schedules of a translation are valid.
        fn checked(translation: Translation) -> Result<Translation, SpecError> {
            for schedule in std::iter::once(&translation.schedule).chain(&translation.momentum) {
                schedule.validate().map_err(|error| {
                    let (kind, SpecError { path, message }) = (schedule.kind(), error);
                    SpecError::new("args", format!("the equivalent `{kind}` would be wrong: `{path}`: {message}"))
                })?;
            }
            Ok(translation)
        }
    };
}

/// The list of a library's schedules: defines an enum of them, and the library's entry in the catalogue.
macro_rules! library {
    (
        $library:ident $title:literal aliases $aliases:tt $summary:literal
        $($name:literal $(| $alias:literal)* $type:ident,)*
    ) => {
        /// One of the library's schedules, with its arguments.
        #[derive(Clone, Debug, serde::Deserialize)]
        pub(super) enum $library {
            $(#[serde(rename = $name $(, alias = $alias)*)] $type($type),)*
        }

        pub(super) const LIBRARY: super::Library = super::Library {
            name: $title,
            aliases: &$aliases,
            summary: $summary,
            schedules: &[$(super::ForeignKind {
                name: $name,
                shape: <$type as super::Foreign>::SHAPE,
                also: <$type as super::Foreign>::ALSO,
                bites: <$type as super::Foreign>::BITES,
                schema: |generator| generator.subschema_for::<$type>(),
            }),*],
        };

        impl $library {
            /// The native equivalent.
            pub(super) fn translate(&self) -> Result<super::Translation, crate::error::SpecError> {
                match self {
                    $(Self::$type(call) => super::Foreign::translate(call).map_err(|error| error.within("args")),)*
                }
            }
        }

        impl schemars::JsonSchema for $library {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                concat!(stringify!($library), "Schedule").into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let calls = [$(($name, generator.subschema_for::<$type>())),*];
                let calls: Vec<schemars::Schema> = calls.into_iter().map(|(name, args)| schemars::json_schema!({
                    "type": "object",
                    "properties": { "name": { "const": name }, "args": args },
                    "required": ["name"],
                })).collect();
                schemars::json_schema!({ "oneOf": calls })
            }
        }
    };
}

pub(super) use {libraries, library};
