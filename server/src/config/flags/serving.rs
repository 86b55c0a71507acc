//! Where and how requests are taken.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;

use super::port;

/// Where and how requests are taken.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Serving")]
pub struct Serving {
    /// The address to serve on.
    #[arg(long, value_name = "IP", default_value = "0.0.0.0")]
    pub bind_address: IpAddr,

    /// The port to serve HTTPS on.
    #[arg(long, value_name = "PORT", default_value_t = 443, value_parser = port)]
    pub secure_port: u16,

    /// The serving certificate, followed by its chain; without it, a self-signed one is made at start.
    #[arg(long, value_name = "FILE")]
    pub tls_cert_file: Option<PathBuf>,

    /// The serving certificate's key.
    #[arg(long, value_name = "FILE")]
    pub tls_private_key_file: Option<PathBuf>,
}
