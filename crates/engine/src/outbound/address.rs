//! Which addresses are on the public internet.
//!
//! After the IANA special-purpose registries (RFC 6890 and its updates); `std`'s `is_global` is not stable. Addresses that
//! carry an IPv4 address inside (mapped, NAT64, 6to4) are judged by that.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether a guest may connect to it without being granted private networks.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => {
            embedded_v4(address).map_or_else(|| is_public_v6(address), is_public_v4)
        }
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && (b & 0xC0) == 64; // 100.64.0.0/10, carrier-grade NAT (RFC 6598)
    let this_network = a == 0; // 0.0.0.0/8 (RFC 791)
    let protocols = a == 192 && b == 0 && c == 0; // 192.0.0.0/24 (RFC 6890)
    let benchmarking = a == 198 && (b & 0xFE) == 18; // 198.18.0.0/15 (RFC 2544)
    let reserved = a >= 240; // 240.0.0.0/4, and broadcast (RFC 1112)
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || shared
        || this_network
        || protocols
        || benchmarking
        || reserved)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let site_local = (first & 0xFFC0) == 0xFEC0; // fec0::/10, deprecated (RFC 3879)
    let documentation = first == 0x2001 && second == 0xDB8; // 2001:db8::/32 (RFC 3849)
    !(address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || address.is_unicast_link_local()
        || address.is_unique_local()
        || site_local
        || documentation)
}

/// The IPv4 address that packets to this IPv6 address end at.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let (high, low) = match address.segments() {
        // Loopback and unspecified look like IPv4-compatible addresses, and are none.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => return None,
        // ::ffff:0:0/96 and ::/96 (RFC 4291); 64:ff9b::/96, NAT64 (RFC 6052).
        // 2002::/16, 6to4 (RFC 3056).
        [0, 0, 0, 0, 0, 0xFFFF | 0, high, low]
        | [0x64, 0xFF9B, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => (high, low),
        _ => return None,
    };
    Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_addresses_are_not_public() {
        for address in [
            "127.0.0.1",
            "127.255.0.1",
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "169.254.170.2",
            "100.64.0.1",
            "100.127.255.255",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "192.0.0.1",
            "198.18.0.1",
            "::",
            "::1",
            "fe80::1",
            "febf::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "fec0::1",
            "2001:db8::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn ordinary_addresses_are_public() {
        for address in [
            "1.1.1.1",
            "93.184.216.34",
            "172.32.0.1",
            "100.128.0.1",
            "169.253.0.1",
            "2606:4700::1111",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }
}
