//! What rules in CEL may call beside the standard functions: Kubernetes' own libraries
//! (<https://kubernetes.io/docs/reference/using-api/cel/#cel-options-language-features-and-libraries>).
//!
//! In: the text of a rule. Out: a program, or why it cannot be judged here. Every call of a program that was compiled is
//! one that is known, so nothing is found out only when an object is met.
//!
//! Deliberately absent: `authorizer`, which definitions cannot call, `semver` and the cost of rules.

mod format;
mod lists;
mod network;
mod quantity;
mod url;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, LazyLock};

use cel::common::types::Type;
use cel::common::value::CowVal;
use cel::objects::{Key, Map, Opaque};
use cel::{Context, Env, ExecutionError, Program, Value};
use serde_json::Value as Json;

use super::{Schema, Type as SchemaType};

/// Every function of the language and its standard library that a program may call by name; operators have none.
/// <https://github.com/google/cel-spec/blob/master/doc/langdef.md#list-of-standard-definitions>, and the extensions
/// `strings`, `lists` and `math` and the optional values that Kubernetes switches on.
const STANDARD: &[&str] = &[
    "bool",
    "bytes",
    "contains",
    "double",
    "duration",
    "dyn",
    "endsWith",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getFullYear",
    "getHours",
    "getMilliseconds",
    "getMinutes",
    "getMonth",
    "getSeconds",
    "int",
    "matches",
    "size",
    "startsWith",
    "string",
    "timestamp",
    "type",
    "uint",
    "charAt",
    "indexOf",
    "lastIndexOf",
    "join",
    "lowerAscii",
    "upperAscii",
    "trim",
    "replace",
    "split",
    "substring",
    "reverse",
    "slice",
    "flatten",
    "distinct",
    "sort",
    "of",
    "none",
    "ofNonZeroValue",
    "hasValue",
    "value",
    "or",
    "orValue",
    "optMap",
    "optFlatMap",
];

/// The standard functions and Kubernetes' own, and the last names of the latter.
struct Library {
    env: Arc<Env>,
    names: BTreeSet<&'static str>,
}

/// Where rules are judged; made once.
static LIBRARY: LazyLock<Library> = LazyLock::new(|| {
    let mut env = Env::stdlib();
    let extensions = [cel::extensions::strings, cel::extensions::lists, cel::extensions::math];
    for extension in extensions {
        extension(&mut env).expect("the extensions declare nothing that is declared already");
    }
    let ours = [
        format::functions(),
        lists::functions(),
        network::functions(),
        quantity::functions(),
        url::functions(),
    ];
    let mut names = BTreeSet::new();
    for function in ours.into_iter().flatten() {
        names.insert(function.last_name());
        function.declare(&mut env);
    }
    let env = Arc::new(env);
    Library { env, names }
});

/// Why a rule is not judged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum NotJudged {
    /// It is not understood.
    #[error("it is not understood here")]
    Syntax,
    /// It calls what is not here.
    #[error("it calls `{0}`, which is not here")]
    Function(String),
}

/// Compiles a rule.
pub(super) fn compile(text: &str) -> Result<Program, NotJudged> {
    let program = parse(text).map_err(|_| NotJudged::Syntax)?;
    match unknown_function(&program) {
        Some(name) => Err(NotJudged::Function(name)),
        None => Ok(program),
    }
}

/// Parses a text; else in the parser's words.
pub(super) fn parse(text: &str) -> Result<Program, String> {
    LIBRARY.env.compile(text).map_err(|errors| {
        // The first line says what and where; below it the text is shown again. What else the grammar would take is long.
        let said = errors.to_string();
        let line = said.lines().next().unwrap_or_default();
        let line = line.split(" expecting ").next().unwrap_or_default().trim();
        line.strip_prefix("ERROR: <input>:").unwrap_or(line).to_owned()
    })
}

/// A function that a program calls and that is not here, the first by its name.
pub(super) fn unknown_function(program: &Program) -> Option<String> {
    let references = program.references();
    let mut unknown: Vec<&str> = references.functions();
    unknown.retain(|name| {
        let is_named = name.starts_with(|first: char| first.is_ascii_alphabetic());
        is_named && !STANDARD.contains(name) && !LIBRARY.names.contains(name)
    });
    unknown.into_iter().min().map(ToOwned::to_owned)
}

/// What a rule is judged in.
pub(super) fn context<'a, 'v>() -> Context<'a, 'v> {
    Context::with_env(Arc::clone(&LIBRARY.env))
}

/// A value as rules see it: whole numbers are `int`, fields that are no identifiers have escaped names
/// (<https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules>).
pub(super) fn value_of(schema: &Schema, json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(is) => Value::Bool(*is),
        Json::Number(number) => match (schema.value_type, number.as_i64(), number.as_f64()) {
            (SchemaType::Number, _, Some(float)) | (_, None, Some(float)) => Value::Float(float),
            (_, Some(whole), _) => Value::Int(whole),
            (_, None, None) => Value::Null,
        },
        Json::String(text) => Value::String(Arc::new(text.clone())),
        Json::Array(list) => Value::List(Arc::new(
            list.iter().map(|item| value_of(schema.item(), item)).collect(),
        )),
        Json::Object(map) => {
            let entry = |(name, child): (&String, &Json)| {
                let field = schema.field(name).unwrap_or(&super::ANYTHING);
                let name = if schema.properties.contains_key(name) {
                    escaped(name)
                } else {
                    name.clone()
                };
                (Key::String(Arc::new(name)), value_of(field, child))
            };
            let map: HashMap<Key, Value> = map.iter().map(entry).collect();
            Value::Map(Map { map: Arc::new(map) })
        }
    }
}

/// The words that CEL keeps for itself.
const RESERVED: &[&str] = &[
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
];

fn escaped(name: &str) -> String {
    if RESERVED.contains(&name) {
        return format!("__{name}__");
    }
    if name.chars().all(|character| character.is_ascii_alphanumeric()) {
        return name.to_owned();
    }
    name.replace("__", "__underscores__")
        .replace('.', "__dot__")
        .replace('-', "__dash__")
        .replace('/', "__slash__")
}

/// A function of a library.
type Body = for<'b, 'v> fn(Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError>;

/// One overload of a function of a library.
struct Function {
    name: &'static str,
    /// Whether its first argument stands before the dot.
    is_member: bool,
    arguments: Vec<Type>,
    body: Body,
}

impl Function {
    fn global(name: &'static str, arguments: Vec<Type>, body: Body) -> Self {
        Self {
            name,
            is_member: false,
            arguments,
            body,
        }
    }

    fn member(name: &'static str, arguments: Vec<Type>, body: Body) -> Self {
        Self {
            name,
            is_member: true,
            arguments,
            body,
        }
    }

    /// The name without what it stands in: `dns1123Label` of `format.dns1123Label`.
    fn last_name(&self) -> &'static str {
        self.name.rsplit('.').next().unwrap_or(self.name)
    }

    fn declare(self, env: &mut Env) {
        let types: Vec<_> = self.arguments.iter().map(|one| one.name().to_owned()).collect();
        let id = format!("{}({})", self.name, types.join(","));
        let mut arguments = self.arguments;
        let declared = if self.is_member {
            let target = arguments.remove(0);
            env.add_member_overload(self.name, &id, target, arguments, self.body)
        } else {
            env.add_overload(self.name, &id, arguments, self.body)
        };
        declared.expect("no library declares what another does");
    }
}

/// The arguments of a call, of which there are as many as were declared.
fn arguments<const N: usize>(arguments: &[CowVal<'_, '_>]) -> Result<[Value; N], ExecutionError> {
    let values: Vec<Value> = arguments
        .iter()
        .map(|argument| Value::try_from(argument.as_ref()))
        .collect::<Result<_, _>>()?;
    values
        .try_into()
        .map_err(|values: Vec<Value>| ExecutionError::invalid_argument_count(N, values.len()))
}

fn answer<'b, 'v>(value: impl Into<Value>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    Ok(CowVal::Owned(value.into().try_into()?))
}

fn opaque<'b, 'v>(value: impl Opaque) -> Result<CowVal<'b, 'v>, ExecutionError> {
    answer(Value::Opaque(Arc::new(value)))
}

fn text(value: &Value) -> Result<&str, ExecutionError> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(unexpected(other, "string")),
    }
}

fn inner<'a, T: Opaque>(value: &'a Value, name: &str) -> Result<&'a T, ExecutionError> {
    match value {
        Value::Opaque(opaque) => opaque.downcast_ref().ok_or_else(|| unexpected(value, name)),
        other => Err(unexpected(other, name)),
    }
}

fn unexpected(got: &Value, want: &str) -> ExecutionError {
    ExecutionError::UnexpectedType {
        got: got.type_of().to_string(),
        want: want.to_owned(),
    }
}

/// What of a definition is not judged: how many rules, by reason.
pub type Gaps = BTreeMap<NotJudged, usize>;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Judges a rule of a value of no schema.
    pub(super) fn judged(rule: &str, value: &Json) -> Result<Value, String> {
        let program = compile(rule).map_err(|why| why.to_string())?;
        let mut context = context();
        context.add_variable_from_value("self", value_of(&super::super::ANYTHING, value));
        program.execute(&context).map_err(|error| error.to_string())
    }

    #[track_caller]
    pub(super) fn holds(rules: &[&str], value: &Json) {
        for rule in rules {
            assert_eq!(judged(rule, value), Ok(Value::Bool(true)), "{rule} of {value}");
        }
    }

    #[test]
    fn strings_lists_and_optional_fields_are_those_of_kubernetes() {
        holds(
            &[
                "self.a.lowerAscii() == 'x-y'",
                "self.a.split('-')[0].size() == 1",
                "self.a.replace('-', '', 1) == 'XY'",
                "self.?b.orValue(7) == 7 && !self.?b.hasValue()",
                "self.n.sum() == 6 && self.n.min() == 1 && self.n.max() == 3 && self.n.isSorted()",
                "self.n.indexOf(3) == 2 && self.n.lastIndexOf(9) == -1",
                "self.n[0] + 1 == 2",
            ],
            &json!({"a": "X-Y", "n": [1, 2, 3]}),
        );
    }

    #[test]
    fn what_is_not_here_is_named_when_a_rule_is_compiled() {
        assert_eq!(
            compile("semver(self) == semver('1.0.0')").err(),
            Some(NotJudged::Function("semver".to_owned()))
        );
        assert_eq!(compile("self ==").err(), Some(NotJudged::Syntax));
        assert!(compile("has(self.a) && self.b.all(x, x.matches('^a$'))").is_ok());
    }

    #[test]
    fn fields_that_are_no_identifiers_are_escaped_and_keys_of_maps_are_not() {
        let node =
            json!({"type": "object", "properties": {"namespace": {"type": "string"}, "a-b": {"type": "integer"}}});
        let schema = super::super::from_definition(Some(&node), &mut Gaps::new());
        let value = value_of(&schema, &json!({"namespace": "n", "a-b": 1}));
        let mut context = context();
        context.add_variable_from_value("self", value);
        let program = compile("self.__namespace__ == 'n' && self.a__dash__b == 1").expect("a rule");
        assert_eq!(program.execute(&context), Ok(Value::Bool(true)));
    }
}
