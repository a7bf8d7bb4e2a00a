//! A tunnel through a SOCKS 5 proxy (RFC 1928), with or without a user name and password (RFC 1929).
//!
//! Never makes the connection to the proxy. Written here since the libraries do not report which reply a proxy gave.

use std::io;
use std::net::IpAddr;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::proxy_refusal::ProxyRefusal;

const VERSION: u8 = 5;
const NO_LOGIN: u8 = 0;
const LOGIN: u8 = 2;
const NO_METHOD: u8 = 0xff;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// Requests a tunnel to a host, a name or an address without brackets. Afterwards the connection is the tunnel. Returns
/// the proxy's refusal, if it refused; fails when the connection to the proxy fails.
pub(super) async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    proxy: &mut S,
    host: &str,
    port: u16,
    login: Option<&(String, String)>,
) -> io::Result<Result<(), ProxyRefusal>> {
    let target = match target(host, port) {
        Ok(target) => target,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if let Err(refusal) = introduce(proxy, login).await? {
        return Ok(Err(refusal));
    }
    proxy.write_all(&target).await?;
    let [version, reply] = read(proxy).await?;
    if version != VERSION {
        return Ok(Err(no_socks()));
    }
    if reply != 0 {
        return Ok(Err(refused(reply)));
    }
    // The proxy's own address follows, which is skipped.
    let [_, kind] = read(proxy).await?;
    match kind {
        IPV4 => drop(read::<4, _>(proxy).await?),
        IPV6 => drop(read::<16, _>(proxy).await?),
        _ => {
            let mut name = vec![0; usize::from(proxy.read_u8().await?)];
            proxy.read_exact(&mut name).await?;
        }
    }
    read::<2, _>(proxy).await?;
    Ok(Ok(()))
}

/// Logs in, if the proxy requires it.
async fn introduce<S: AsyncRead + AsyncWrite + Unpin>(
    proxy: &mut S,
    login: Option<&(String, String)>,
) -> io::Result<Result<(), ProxyRefusal>> {
    let methods: &[u8] = match login {
        Some(_) => &[VERSION, 2, NO_LOGIN, LOGIN],
        None => &[VERSION, 1, NO_LOGIN],
    };
    proxy.write_all(methods).await?;
    let [version, method] = read(proxy).await?;
    let refusal = match (version, method, login) {
        (VERSION, NO_LOGIN, _) => return Ok(Ok(())),
        (VERSION, LOGIN, Some((user, password))) => {
            let Some(login) = login_message(user, password) else {
                let words = "the user name or the password for it is longer than 255 bytes";
                return Ok(Err(ProxyRefusal::new(words)));
            };
            proxy.write_all(&login).await?;
            let [_, status] = read(proxy).await?;
            if status == 0 {
                return Ok(Ok(()));
            }
            ProxyRefusal::new(
                "it refuses the user name or the password that its address in the configuration has",
            )
        }
        (VERSION, NO_METHOD | LOGIN, None) => ProxyRefusal::new(
            "it wants to know who asks: write a user name and a password into its address in the configuration",
        ),
        (VERSION, ..) => {
            ProxyRefusal::new("it wants to know who asks in a way that is not known here")
        }
        _ => no_socks(),
    };
    Ok(Err(refusal))
}

/// Returns the request for a connection (RFC 1928 §4).
fn target(host: &str, port: u16) -> Result<Vec<u8>, ProxyRefusal> {
    let mut message = vec![VERSION, CONNECT, 0];
    match host.parse() {
        Ok(IpAddr::V4(address)) => {
            message.push(IPV4);
            message.extend(address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            message.push(IPV6);
            message.extend(address.octets());
        }
        Err(_) => {
            message.push(NAME);
            let length = u8::try_from(host.len());
            message.push(length.map_err(|_| {
                ProxyRefusal::new("a name of more than 255 bytes cannot be asked for over SOCKS")
            })?);
            message.extend(host.as_bytes());
        }
    }
    message.extend(port.to_be_bytes());
    Ok(message)
}

/// Encodes user name and password (RFC 1929 §2); `None` when one is too long.
fn login_message(user: &str, password: &str) -> Option<Vec<u8>> {
    let mut message = vec![1];
    for part in [user, password] {
        message.push(u8::try_from(part.len()).ok()?);
        message.extend(part.as_bytes());
    }
    Some(message)
}

async fn read<const COUNT: usize, S: AsyncRead + Unpin>(proxy: &mut S) -> io::Result<[u8; COUNT]> {
    let mut bytes = [0; COUNT];
    proxy.read_exact(&mut bytes).await?;
    Ok(bytes)
}

fn no_socks() -> ProxyRefusal {
    ProxyRefusal::new(
        "its answer is not SOCKS 5; an HTTP proxy is written http:// in the configuration",
    )
}

/// Explains a reply (RFC 1928 §6).
fn refused(reply: u8) -> ProxyRefusal {
    let words = match reply {
        1 => "it failed, and does not say why",
        2 => "its rules do not allow that",
        3 => "it has no way to that network",
        4 => "it does not reach the host",
        5 => "the host refused the connection",
        6 => "the way to the host is too long, or goes in circles",
        7 => "it makes no connections for others",
        8 => "it takes no address of this kind",
        _ => "it failed for a reason that is not known here",
    };
    ProxyRefusal {
        is_of_address: matches!(reply, 2 | 8),
        may_pass: !matches!(reply, 2 | 7 | 8),
        ..ProxyRefusal::new(words)
    }
}
