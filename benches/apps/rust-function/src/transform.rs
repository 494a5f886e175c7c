//! The transformation of a JSON array of orders, for every Rust subject.

use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Order {
    id: u64,
    customer: String,
    cents: u64,
    quantity: u64,
    tags: Vec<String>,
    note: String,
}

#[derive(Serialize)]
struct Line {
    id: u64,
    customer: String,
    total: u64,
    tags: Vec<String>,
    note: String,
}

/// Totals each order, turns its tags round, and puts the largest first.
pub fn transform(body: &[u8]) -> Result<String, serde_json::Error> {
    let orders: Vec<Order> = serde_json::from_slice(body)?;
    let mut lines: Vec<Line> = orders.into_iter().map(line).collect();
    lines.sort_by_key(|line| (std::cmp::Reverse(line.total), line.id));
    serde_json::to_string(&lines)
}

fn line(order: Order) -> Line {
    let mut tags = order.tags;
    tags.reverse();
    Line {
        id: order.id,
        customer: order.customer.to_uppercase(),
        total: order.cents * order.quantity,
        tags,
        note: order.note,
    }
}
