//! HTTP as every part of clnstrt speaks it: silence and slowness end, machines' certificates, proxies and credentials are
//! respected, and no credentials are shown.

mod answer;
mod client;
mod credentials;
mod failure;
mod netrc;
mod patience;

pub use answer::{body, collect};
pub use client::{Client, is_local, reason, refused, server};
pub use credentials::{Credentials, bare, credentials_in, percent_decode, shown};
pub use failure::{Failure, Kind};
pub use netrc::Netrc;
pub use patience::Patience;
