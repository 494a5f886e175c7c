//! A command: standard input is the event, standard output the answer, its first word says what to do.

use std::io::{Read, Write};

fn main() {
    let mut event = String::new();
    std::io::stdin().read_to_string(&mut event).expect("an event");
    eprintln!("read {} bytes", event.len());
    match event.split_whitespace().next() {
        Some("exit") => {
            eprintln!("about to give up");
            std::process::exit(3)
        }
        Some("fail") => panic!("boom"),
        Some("spin") => loop {
            std::hint::black_box(0);
        },
        Some("flood") => loop {
            std::io::stdout().write_all(&[b'x'; 4096]).expect("room");
        },
        Some("sockets") => print!("{:?}", std::net::TcpStream::connect("127.0.0.1:1").map(drop)),
        Some("files") => print!("{:?}", std::fs::read_dir("/").map(|entries| entries.count())),
        _ => print!("{}", event.to_uppercase()),
    }
}
