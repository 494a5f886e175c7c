//! The 10 KB of JSON that are transformed, and what must come of them.

use serde_json::{Value, json};
use std::cmp::Reverse;

/// How many orders make 10 KB.
const COUNT: u64 = 70;

const CUSTOMERS: [&str; 4] = ["Ada Lovelace", "Grace Hopper", "Barbara Liskov", "Radia Perlman"];

/// A JSON array of about 10 KB.
pub(crate) fn orders() -> Value {
    let order = |number: u64| {
        let customer = CUSTOMERS.iter().cycle().nth(usize::try_from(number).unwrap_or_default());
        json!({
            "id": 100_000 + number,
            "customer": customer,
            "cents": 199 + number * 7919 % 10_000,
            "quantity": 1 + number * 31 % 9,
            "tags": ["express", "gift", format!("zone-{}", number % 12)],
            "note": format!("leave at door {number}, \"ring twice\""),
        })
    };
    (0..COUNT).map(order).collect()
}

/// What the handlers must answer, computed on its own.
pub(crate) fn transformed(orders: &Value) -> Value {
    let number = |order: &Value, name: &str| order.get(name).and_then(Value::as_u64);
    let line = |order: &Value| {
        let mut tags = order.get("tags").and_then(Value::as_array).cloned().unwrap_or_default();
        tags.reverse();
        let customer = order.get("customer").and_then(Value::as_str).unwrap_or_default();
        let total = number(order, "cents").zip(number(order, "quantity")).map(|(a, b)| a * b);
        json!({
            "id": order.get("id"),
            "customer": customer.to_uppercase(),
            "total": total,
            "tags": tags,
            "note": order.get("note"),
        })
    };
    let mut lines: Vec<Value> = orders.as_array().into_iter().flatten().map(line).collect();
    lines.sort_by_key(|line| (Reverse(number(line, "total")), number(line, "id")));
    lines.into()
}

#[cfg(test)]
mod tests {
    use super::{orders, transformed};
    use serde_json::json;

    #[test]
    fn there_are_ten_kilobytes() {
        let size = orders().to_string().len();
        assert!((9_500..10_500).contains(&size), "{size}");
    }

    #[test]
    fn the_largest_order_comes_first() {
        let order = |id, cents| json!({ "id": id, "customer": "ada", "cents": cents, "quantity": 2, "tags": ["a", "b"], "note": "n" });
        let line = |id, total| json!({ "id": id, "customer": "ADA", "total": total, "tags": ["b", "a"], "note": "n" });
        let orders = json!([order(1, 5), order(3, 9), order(2, 9)]);
        assert_eq!(transformed(&orders), json!([line(2, 18), line(3, 18), line(1, 10)]));
    }
}
