//! One item in a list that others add to, and that the server knows only as a whole.
//!
//! Who writes such a list by server-side apply owns all of it (ssa-semantics, atomic lists), so an item is put in and
//! taken out of the list as it is. The list is handed over as its JSON text, like the other shared documents; an empty
//! text is an empty list.

use super::DocumentError;
use serde_json::Value;

/// The item whose field `by` equals `key`.
pub fn item(text: &str, by: &str, key: &Value) -> Option<Value> {
    items(text).ok()?.into_iter().find(|item| item.get(by) == Some(key))
}

/// The list with the item in the place of the one with the same key, else at its end; or without it.
///
/// # Errors
/// When the text is no list.
pub fn with_item(text: &str, by: &str, key: &Value, item: Option<&Value>) -> Result<String, DocumentError> {
    let mut items = items(text)?;
    let place = items.iter().position(|other| other.get(by) == Some(key));
    match (place, item) {
        (Some(place), Some(item)) => items[place] = item.clone(),
        (None, Some(item)) => items.push(item.clone()),
        (Some(place), None) => {
            items.remove(place);
        }
        (None, None) => {}
    }
    if items.is_empty() {
        return Ok(String::new());
    }
    Ok(Value::Array(items).to_string())
}

fn items(text: &str) -> Result<Vec<Value>, DocumentError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    serde_json::from_str(text).map_err(|_| DocumentError::NotAList)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn others_items_stay_where_they_are() {
        let text = json!([{"names": ["a"], "x": 1}, {"names": ["b"]}]).to_string();
        let ours = json!({"names": ["c"]});
        let with = with_item(&text, "names", &json!(["c"]), Some(&ours)).expect("a list");
        assert_eq!(
            with,
            json!([{"names": ["a"], "x": 1}, {"names": ["b"]}, {"names": ["c"]}]).to_string()
        );
        assert_eq!(item(&with, "names", &json!(["c"])), Some(ours));
        assert_eq!(with_item(&with, "names", &json!(["c"]), None), Ok(text));
    }

    #[test]
    fn an_item_of_the_same_key_is_replaced_and_an_empty_list_is_none() {
        let text = json!([{"names": ["a"], "x": 1}]).to_string();
        let ours = json!({"names": ["a"], "x": 2});
        assert_eq!(
            with_item(&text, "names", &json!(["a"]), Some(&ours)),
            Ok(json!([{"names": ["a"], "x": 2}]).to_string())
        );
        assert_eq!(with_item(&text, "names", &json!(["a"]), None), Ok(String::new()));
        assert_eq!(
            with_item("{}", "names", &json!(["a"]), None),
            Err(DocumentError::NotAList)
        );
    }
}
