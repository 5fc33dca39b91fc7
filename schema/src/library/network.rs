//! Addresses and networks (<https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-ip-address-library>,
//! `#kubernetes-cidr-library`): strictly written, without zones and without IPv4 in IPv6.

use std::net::IpAddr;

use cel::common::types::{STRING_TYPE, Type};
use cel::objects::Opaque;
use cel::{ExecutionError, Value};

use super::{Function, answer, arguments, inner, opaque, text};

const IP: &str = "net.IP";
const CIDR: &str = "net.CIDR";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Address(IpAddr);

impl Opaque for Address {
    fn runtime_type_name(&self) -> &str {
        IP
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    length: u8,
}

impl Opaque for Network {
    fn runtime_type_name(&self) -> &str {
        CIDR
    }
}

pub(super) fn functions() -> Vec<Function> {
    let ip = || Type::new_opaque_type(IP);
    let cidr = || Type::new_opaque_type(CIDR);
    vec![
        Function::global("isIP", vec![STRING_TYPE], |given| {
            let [address] = arguments(&given)?;
            answer(Address::read(text(&address)?).is_some())
        }),
        Function::global("ip", vec![STRING_TYPE], |given| {
            let [address] = arguments(&given)?;
            opaque(Address::required(text(&address)?)?)
        }),
        Function::global("ip.isCanonical", vec![STRING_TYPE], |given| {
            let [address] = arguments(&given)?;
            let address = text(&address)?;
            answer(Address::required(address)?.0.to_string() == address)
        }),
        Function::global("string", vec![ip()], |given| {
            answer(of_ip(&given, |address| address.to_string())?)
        }),
        Function::member("family", vec![ip()], |given| answer(of_ip(&given, family)?)),
        Function::member("isUnspecified", vec![ip()], |given| {
            answer(of_ip(&given, |address| address.is_unspecified())?)
        }),
        Function::member("isLoopback", vec![ip()], |given| {
            answer(of_ip(&given, |address| address.is_loopback())?)
        }),
        Function::member("isLinkLocalUnicast", vec![ip()], |given| {
            answer(of_ip(&given, is_link_local)?)
        }),
        Function::member("isLinkLocalMulticast", vec![ip()], |given| {
            answer(of_ip(&given, is_link_local_multicast)?)
        }),
        Function::member("isGlobalUnicast", vec![ip()], |given| answer(of_ip(&given, is_global)?)),
        Function::global("isCIDR", vec![STRING_TYPE], |given| {
            let [network] = arguments(&given)?;
            answer(Network::read(text(&network)?).is_some())
        }),
        Function::global("cidr", vec![STRING_TYPE], |given| {
            let [network] = arguments(&given)?;
            opaque(Network::required(text(&network)?)?)
        }),
        Function::global("string", vec![cidr()], |given| {
            let [network] = arguments(&given)?;
            let Network { address, length } = inner::<Network>(&network, CIDR)?;
            answer(format!("{address}/{length}"))
        }),
        Function::member("ip", vec![cidr()], |given| {
            let [network] = arguments(&given)?;
            opaque(Address(inner::<Network>(&network, CIDR)?.address))
        }),
        Function::member("prefixLength", vec![cidr()], |given| {
            let [network] = arguments(&given)?;
            answer(i64::from(inner::<Network>(&network, CIDR)?.length))
        }),
        Function::member("masked", vec![cidr()], |given| {
            let [network] = arguments(&given)?;
            opaque(inner::<Network>(&network, CIDR)?.masked())
        }),
        Function::member("containsIP", vec![cidr(), STRING_TYPE], |given| {
            let [network, address] = arguments(&given)?;
            let address = Address::required(text(&address)?)?;
            answer(inner::<Network>(&network, CIDR)?.contains(address.0))
        }),
        Function::member("containsIP", vec![cidr(), ip()], |given| {
            let [network, address] = arguments(&given)?;
            answer(inner::<Network>(&network, CIDR)?.contains(inner::<Address>(&address, IP)?.0))
        }),
        Function::member("containsCIDR", vec![cidr(), STRING_TYPE], |given| {
            let [network, other] = arguments(&given)?;
            let other = Network::required(text(&other)?)?;
            answer(inner::<Network>(&network, CIDR)?.holds(other))
        }),
        Function::member("containsCIDR", vec![cidr(), cidr()], |given| {
            let [network, other] = arguments(&given)?;
            answer(inner::<Network>(&network, CIDR)?.holds(*inner::<Network>(&other, CIDR)?))
        }),
    ]
}

fn of_ip<T>(given: &[cel::common::value::CowVal<'_, '_>], read: impl FnOnce(IpAddr) -> T) -> Result<T, ExecutionError> {
    let [address]: [Value; 1] = arguments(given)?;
    Ok(read(inner::<Address>(&address, IP)?.0))
}

impl Address {
    fn read(text: &str) -> Option<Self> {
        let address: IpAddr = text.parse().ok()?;
        let is_mapped = matches!(address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some());
        (!is_mapped).then_some(Self(address))
    }

    fn required(text: &str) -> Result<Self, ExecutionError> {
        let error = || ExecutionError::function_error("ip", format!("IP Address {text:?} parse error"));
        Self::read(text).ok_or_else(error)
    }
}

impl Network {
    fn read(text: &str) -> Option<Self> {
        let (address, length) = text.split_once('/')?;
        let Address(address) = Address::read(address)?;
        // Go takes neither a sign nor a leading zero (`net/netip.ParsePrefix`).
        let is_plain = length.bytes().all(|byte| byte.is_ascii_digit()) && (length == "0" || !length.starts_with('0'));
        let length: u8 = length.parse().ok().filter(|_| is_plain)?;
        (length <= bits(address)).then_some(Self { address, length })
    }

    fn required(text: &str) -> Result<Self, ExecutionError> {
        let error = || ExecutionError::function_error("cidr", format!("CIDR {text:?} parse error"));
        Self::read(text).ok_or_else(error)
    }

    fn masked(self) -> Self {
        let address = match self.address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.length)).unwrap_or(0);
                IpAddr::V4((u32::from(address) & mask).into())
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.length)).unwrap_or(0);
                IpAddr::V6((u128::from(address) & mask).into())
            }
        };
        Self { address, ..self }
    }

    fn contains(self, address: IpAddr) -> bool {
        let other = Self { address, ..self };
        address.is_ipv4() == self.address.is_ipv4() && other.masked().address == self.masked().address
    }

    fn holds(self, other: Self) -> bool {
        other.length >= self.length && self.contains(other.address)
    }
}

const fn bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

const fn family(address: IpAddr) -> i64 {
    match address {
        IpAddr::V4(_) => 4,
        IpAddr::V6(_) => 6,
    }
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

fn is_link_local_multicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.octets()[..3] == [224, 0, 0],
        IpAddr::V6(address) => address.segments()[0] & 0xff0f == 0xff02,
    }
}

/// As Go says it (`net/netip.Addr.IsGlobalUnicast`): private addresses are.
fn is_global(address: IpAddr) -> bool {
    let is_broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    !(is_broadcast
        || address.is_unspecified()
        || address.is_loopback()
        || address.is_multicast()
        || is_link_local(address))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{holds, judged};
    use serde_json::json;

    #[test]
    fn addresses_are_strictly_read_and_told_apart() {
        holds(
            &[
                "isIP('10.0.0.1') && isIP('::1') && !isIP('010.0.0.1') && !isIP('::ffff:1.2.3.4') && !isIP('fe80::1%eth0')",
                "ip('10.0.0.1').family() == 4 && ip('fd00::1').family() == 6",
                "ip.isCanonical('::1') && !ip.isCanonical('0::1')",
                "ip('127.0.0.1').isLoopback() && ip('10.0.0.1').isGlobalUnicast()",
                "ip('10.0.0.1') == ip('10.0.0.1') && string(ip('0::1')) == '::1'",
            ],
            &json!(null),
        );
        assert!(judged("ip('x').family() == 4", &json!(null)).is_err());
    }

    #[test]
    fn networks_hold_addresses_and_networks() {
        holds(
            &[
                "isCIDR('10.0.0.0/8') && isCIDR('fd00::/64') && !isCIDR('10.0.0.0/33') && !isCIDR('10.0.0.0') && !isCIDR('10.0.0.0/08')",
                "cidr('10.1.2.3/8').prefixLength() == 8 && cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8')",
                "cidr('10.0.0.0/8').containsIP('10.9.9.9') && !cidr('10.0.0.0/8').containsIP(ip('11.0.0.0'))",
                "cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && !cidr('10.1.0.0/16').containsCIDR('10.0.0.0/8')",
                "cidr('fd00::/64').ip().family() == 6 && string(cidr('10.1.2.3/8')) == '10.1.2.3/8'",
                "cidr('0.0.0.0/0').containsIP('1.2.3.4')",
            ],
            &json!(null),
        );
    }
}
