//! Lists, and regular expressions over strings
//! (<https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-list-library>, `#kubernetes-regex-library`).

use std::cmp::Ordering;
use std::sync::Arc;

use cel::common::types::{DYN_TYPE, INT_TYPE, LIST_TYPE, STRING_TYPE};
use cel::{ExecutionError, Value};
use regex::Regex;

use super::{Function, answer, arguments, text, unexpected};

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function::member("isSorted", vec![LIST_TYPE], |given| {
            let [list] = arguments(&given)?;
            let is_sorted = items(&list)?
                .windows(2)
                .all(|pair| matches!(pair[0].partial_cmp(&pair[1]), Some(Ordering::Less | Ordering::Equal)));
            answer(is_sorted)
        }),
        Function::member("sum", vec![LIST_TYPE], |given| {
            let [list] = arguments(&given)?;
            let mut sum = Value::Int(0);
            for (index, item) in items(&list)?.iter().enumerate() {
                sum = if index == 0 {
                    item.clone()
                } else {
                    (sum + item.clone())?
                };
            }
            answer(sum)
        }),
        Function::member("min", vec![LIST_TYPE], |given| {
            answer(extreme(&arguments(&given)?, Ordering::Less)?)
        }),
        Function::member("max", vec![LIST_TYPE], |given| {
            answer(extreme(&arguments(&given)?, Ordering::Greater)?)
        }),
        Function::member("indexOf", vec![LIST_TYPE, DYN_TYPE], |given| {
            let [list, wanted] = arguments(&given)?;
            answer(position(items(&list)?.iter().position(|item| *item == wanted)))
        }),
        Function::member("lastIndexOf", vec![LIST_TYPE, DYN_TYPE], |given| {
            let [list, wanted] = arguments(&given)?;
            answer(position(items(&list)?.iter().rposition(|item| *item == wanted)))
        }),
        Function::member("find", vec![STRING_TYPE, STRING_TYPE], |given| {
            let [target, pattern] = arguments(&given)?;
            let found = expression(&pattern)?
                .find(text(&target)?)
                .map(|found| found.as_str().to_owned());
            answer(found.unwrap_or_default())
        }),
        Function::member("findAll", vec![STRING_TYPE, STRING_TYPE], |given| {
            let [target, pattern] = arguments(&given)?;
            answer(find_all(&target, &pattern, usize::MAX)?)
        }),
        Function::member("findAll", vec![STRING_TYPE, STRING_TYPE, INT_TYPE], |given| {
            let [target, pattern, most] = arguments(&given)?;
            let Value::Int(most) = most else {
                return Err(unexpected(&most, "int"));
            };
            // A negative number is none.
            answer(find_all(
                &target,
                &pattern,
                usize::try_from(most).unwrap_or(usize::MAX),
            )?)
        }),
    ]
}

fn items(list: &Value) -> Result<&[Value], ExecutionError> {
    match list {
        Value::List(list) => Ok(list),
        other => Err(unexpected(other, "list")),
    }
}

fn extreme([list]: &[Value; 1], wanted: Ordering) -> Result<Value, ExecutionError> {
    let mut items = items(list)?.iter();
    let empty = || ExecutionError::function_error("min", "called on an empty list");
    let mut best = items.next().ok_or_else(empty)?;
    for item in items {
        if item.partial_cmp(best) == Some(wanted) {
            best = item;
        }
    }
    Ok(best.clone())
}

fn position(index: Option<usize>) -> i64 {
    index.and_then(|index| i64::try_from(index).ok()).unwrap_or(-1)
}

fn expression(pattern: &Value) -> Result<Regex, ExecutionError> {
    Regex::new(text(pattern)?).map_err(|error| ExecutionError::function_error("find", error))
}

fn find_all(target: &Value, pattern: &Value, most: usize) -> Result<Value, ExecutionError> {
    let expression = expression(pattern)?;
    let found = expression.find_iter(text(target)?).take(most);
    Ok(Value::List(Arc::new(
        found.map(|found| Value::from(found.as_str())).collect(),
    )))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{holds, judged};
    use serde_json::json;

    #[test]
    fn expressions_find_what_go_finds() {
        holds(
            &[
                "self.find('[0-9]+') == '12'",
                "self.find('z') == ''",
                "self.findAll('[0-9]') == ['1', '2', '3']",
                "self.findAll('[0-9]', 1) == ['1']",
            ],
            &json!("a12b3"),
        );
        assert!(judged("[].min() == 1", &json!(null)).is_err());
    }
}
