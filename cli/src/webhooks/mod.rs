//! Who is told of images that were released.

mod settings;

use std::path::Path;
use std::time::Duration;

use data_encoding::HEXLOWER;
use futures::stream::{self, StreamExt as _};
use model::{Finding, Findings, codes};
use net::{Client, Failure, Kind, Patience, reason, refused, shown};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, Request};
use ring::hmac;
use serde_json::{Value, json};

use self::settings::{Form, Webhook};
use crate::args::Machine;
use crate::located::waiting;
use crate::report;
use crate::sending::Job;

/// Where the digest of the body stands, under the secret (HMAC-SHA-256, in hex after `sha256=`).
const SIGNATURE: HeaderName = HeaderName::from_static("x-clnstrt-signature-256");
/// Whoever is slow keeps nobody else waiting.
const AT_ONCE: usize = 8;
const ATTEMPTS: u32 = 5;
const BACKOFF: Duration = Duration::from_millis(500);
/// Whoever is not told by then is not told.
const DEADLINE: Duration = Duration::from_secs(120);

/// Everybody who is to be told.
pub(crate) struct Webhooks {
    hooks: Vec<Webhook>,
    http: Client,
    stall: Duration,
}

/// What is said of an image that was released.
pub(crate) struct Released<'r> {
    pub(crate) job: &'r Job,
    /// The types of what refers to it, and to the images in it.
    pub(crate) statements: Vec<String>,
    /// The commit it was made for.
    pub(crate) commit: Option<String>,
}

impl Webhooks {
    /// Reads who is to be told; nobody is asked yet.
    pub(crate) fn at(machine: &Machine, path: Option<&Path>) -> Result<Self, report::Failure> {
        let hooks = path.map_or(Ok(Vec::new()), |path| settings::read(path, machine.plain_http))?;
        let stall = Duration::from_secs(machine.timeout);
        Ok(Self { hooks, http: Client::new(stall), stall })
    }

    /// Whether there is nobody to be told.
    pub(crate) fn is_empty(&self) -> bool {
        self.hooks.is_empty()
    }

    /// Tells everybody of each image. Who cannot be told keeps nobody else from it; the image is released all the same.
    pub(crate) fn tell(&self, released: &[Released<'_>]) -> Result<Findings, Finding> {
        let told = released.iter().flat_map(|released| self.hooks.iter().map(move |hook| (hook, released)));
        let told = stream::iter(told).map(async |(hook, released)| {
            let failure = self.post(hook, released).await.err()?;
            let server = shown(&hook.server());
            let message = format!("{server} was not told of {}", released.job.digest);
            let help = "the image is released; the same command tells again, and sends nothing that is there";
            Some(Finding::error(codes::WEBHOOK_FAILED, message).because(failure.text).help(help))
        });
        let findings: Vec<Option<Finding>> = waiting()?.block_on(told.buffered(AT_ONCE).collect());
        Ok(findings.into_iter().flatten().collect())
    }

    async fn post(&self, hook: &Webhook, released: &Released<'_>) -> Result<(), Failure> {
        let body = hook.form.body(released).to_string().into_bytes();
        let patience = Patience::new(ATTEMPTS, BACKOFF, DEADLINE);
        patience.retrying(async || self.once(hook, &body).await).await
    }

    async fn once(&self, hook: &Webhook, body: &[u8]) -> Result<(), Failure> {
        let mut request = Request::new(Method::POST, hook.url.clone());
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(secret) = &hook.secret {
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), body);
            let value = HeaderValue::try_from(format!("sha256={}", HEXLOWER.encode(tag.as_ref())));
            request.headers_mut().extend(value.ok().map(|value| (SIGNATURE, value)));
        }
        if let Some(token) = &hook.token {
            let mut value = HeaderValue::try_from(format!("Bearer {token}"))
                .map_err(|_| Failure::lasting(Kind::Network, "its token cannot be sent"))?;
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        *request.body_mut() = Some(body.to_vec().into());
        let answer = tokio::time::timeout(self.stall, self.http.execute(request)).await;
        let response = match answer {
            Ok(Ok(response)) => response,
            Ok(Err(e)) => return Err(Failure::passing(reason(e))),
            Err(_) => return Err(Failure::passing(format!("no answer within {} s", self.stall.as_secs_f32()))),
        };
        if response.status().is_success() { Ok(()) } else { Err(refused(&response)) }
    }
}

impl Form {
    /// What is told, in these words.
    fn body(self, released: &Released<'_>) -> Value {
        let Released { job, statements, commit } = released;
        let is_said = |parts: &[&str]| statements.iter().any(|kind| parts.iter().any(|part| kind.contains(part)));
        let signed = is_said(&["cosign/sign"]);
        let sbom = is_said(&["cyclonedx", "spdx"]);
        let scanned = is_said(&["attestation/vuln"]);
        let (repository, digest) = (job.to.to_string(), job.digest);
        let tags = job.names();
        match self {
            Form::Json => json!({
                "event": "released",
                "repository": repository,
                "digest": digest,
                "tags": tags,
                "commit": commit,
                "signed": signed,
                "statements": statements,
            }),
            Form::Registration => json!({
                "image": format!("{repository}@{digest}"),
                "git_ref": commit,
                "sbom": sbom,
                "signed": signed,
                "vulnerability_scan": scanned,
            }),
            Form::Slack => {
                let signed = if signed { "signed" } else { "not signed" };
                let names = if tags.is_empty() { String::new() } else { format!(" as {}", tags.join(", ")) };
                json!({ "text": format!("{repository} was released{names}, {signed}: {digest}") })
            }
        }
    }
}
