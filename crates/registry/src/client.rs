//! The requests, one function each; no retries, no memory.

use std::fs;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use schema_registry_converter::async_impl::schema_registry::{
    SrSettings, get_all_versions, get_schema_by_id, get_schema_by_subject_and_version, perform_sr_call, post_schema,
};
use schema_registry_converter::error::SRCError;
use schema_registry_converter::schema_registry_common::{SchemaType, SrCall, SuppliedSchema};
use serde::Deserialize;
use serde_json::json;

use crate::error::status_of;
use crate::{RegistryConfig, RegistryError, metric};

const MEDIA_TYPE: &str = "application/vnd.schemaregistry.v1+json";
/// A registry's own words in an error are cut after this many characters.
const MESSAGE_CHARS_MAX: usize = 500;

pub(crate) struct Client {
    url: String,
    settings: SrSettings,
    /// For compatibility levels, which the client above does not know.
    http: reqwest::Client,
    login: Option<(String, model::Secret)>,
}

#[derive(Deserialize)]
struct Level {
    #[serde(alias = "compatibility", rename = "compatibilityLevel")]
    level: String,
}

impl Client {
    pub fn new(config: &RegistryConfig) -> Result<Self, RegistryError> {
        let mut settings = SrSettings::new_builder(config.url.clone());
        settings.set_timeout(config.timeout);
        if let Some((user, password)) = &config.login {
            settings.set_basic_authorization(user, Some(password.expose()));
        }
        let settings = settings
            .build_with(builder(config)?)
            .map_err(|error| RegistryError::Config(error.error))?;
        let http = builder(config)?
            .build()
            .map_err(|error| RegistryError::Config(format!("cannot make an HTTP client: {error}")))?;
        Ok(Self {
            url: config.url.clone(),
            settings,
            http,
            login: config.login.clone(),
        })
    }

    /// The id of this very schema under a subject, if it is registered.
    pub async fn lookup(&self, subject: &str, schema: &str) -> Result<Option<u32>, RegistryError> {
        let body = json!({ "schema": schema, "schemaType": "AVRO" }).to_string();
        let answer = perform_sr_call(&self.settings, SrCall::PostForVersion(subject, &body)).await;
        let found = self.present(answer, || format!("look up {subject}"))?;
        Ok(found.and_then(|raw| raw.id))
    }

    /// Registers a schema; the same again gives the same id.
    pub async fn register(&self, subject: &str, schema: &str) -> Result<u32, RegistryError> {
        let supplied = SuppliedSchema::new(None, SchemaType::Avro, schema.to_owned());
        let answer = post_schema(&self.settings, subject.to_owned(), supplied).await;
        match self.sorted(answer, || format!("register {subject}")) {
            Ok(registered) => Ok(registered.id),
            Err(RegistryError::Refused {
                status: 409, message, ..
            }) => Err(RegistryError::Incompatible {
                subject: subject.to_owned(),
                message,
            }),
            Err(error) => Err(error),
        }
    }

    /// Versions of a subject.
    pub async fn versions(&self, subject: &str) -> Result<Vec<u32>, RegistryError> {
        let answer = get_all_versions(&self.settings, subject.replace('/', "%2F")).await;
        let found = self.present(answer, || format!("list the versions of {subject}"))?;
        Ok(found.unwrap_or_default())
    }

    /// Id and text of one version.
    pub async fn version(&self, subject: &str, version: u32) -> Result<(u32, String), RegistryError> {
        let answer = get_schema_by_subject_and_version(&self.settings, subject, Some(version)).await;
        let found = self.sorted(answer, || format!("give version {version} of {subject}"))?;
        Ok((found.id, found.schema))
    }

    /// Text of a schema; `None` if the registry does not have the id.
    pub async fn schema(&self, id: u32) -> Result<Option<String>, RegistryError> {
        let answer = get_schema_by_id(id, &self.settings).await;
        let found = self.present(answer, || format!("give schema {id}"))?;
        Ok(found.map(|schema| schema.schema))
    }

    /// The level of a subject: its own, or the registry's for all.
    pub async fn compatibility(&self, subject: &str) -> Result<Option<String>, RegistryError> {
        let own: Option<Level> = self.config_call(self.http.get(self.config_url(subject))).await?;
        let level = match own {
            Some(own) => Some(own),
            None => self.config_call(self.http.get(format!("{}/config", self.url))).await?,
        };
        Ok(level.map(|l| l.level))
    }

    pub async fn set_compatibility(&self, subject: &str, level: &str) -> Result<(), RegistryError> {
        match self.put_compatibility(subject, level).await {
            // Somebody else has made the rule this moment (Apicurio); the next call changes it.
            Err(RegistryError::Refused { status: 409, .. }) => self.put_compatibility(subject, level).await,
            result => result,
        }
    }

    async fn put_compatibility(&self, subject: &str, level: &str) -> Result<(), RegistryError> {
        let request = self
            .http
            .put(self.config_url(subject))
            .header(CONTENT_TYPE, MEDIA_TYPE)
            .body(json!({ "compatibility": level }).to_string());
        match self.config_call::<serde_json::Value>(request).await? {
            Some(_) => Ok(()),
            None => Err(RegistryError::Refused {
                url: self.url.clone(),
                what: format!("set the compatibility of {subject}"),
                status: 404,
                message: "not found".into(),
            }),
        }
    }

    fn config_url(&self, subject: &str) -> String {
        format!("{}/config/{}", self.url, subject.replace('/', "%2F"))
    }

    async fn config_call<T: serde::de::DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<Option<T>, RegistryError> {
        let request = match &self.login {
            Some((user, password)) => request.basic_auth(user, Some(password.expose())),
            None => request,
        };
        let away = |error: reqwest::Error| {
            count("away");
            RegistryError::Away {
                url: self.url.clone(),
                // Without its address: one may hold a password.
                source: Box::new(error.without_url()),
            }
        };
        let response = request.send().await.map_err(away)?;
        let status = response.status();
        if status.is_success() {
            count("ok");
            return response.json().await.map(Some).map_err(away);
        }
        if status.as_u16() == 404 {
            count("missing");
            return Ok(None);
        }
        count(if status.is_client_error() { "refused" } else { "away" });
        let message = response.text().await.unwrap_or_default();
        let message: String = message.chars().take(MESSAGE_CHARS_MAX).collect();
        let what = "use compatibility levels".to_owned();
        let answered = RegistryError::answered(&self.url, what, Some(status.as_u16()), message.clone());
        Err(answered.unwrap_or_else(|| RegistryError::Away {
            url: self.url.clone(),
            source: format!("HTTP {status}: {message}").into(),
        }))
    }

    /// `None` where the registry says that there is no such thing.
    fn present<T>(
        &self,
        answer: Result<T, SRCError>,
        what: impl FnOnce() -> String,
    ) -> Result<Option<T>, RegistryError> {
        match answer {
            Err(error) if status_of(&error) == Some(404) => {
                count("missing");
                Ok(None)
            }
            answer => self.sorted(answer, what).map(Some),
        }
    }

    fn sorted<T>(&self, answer: Result<T, SRCError>, what: impl FnOnce() -> String) -> Result<T, RegistryError> {
        let result = answer.map_err(|error| RegistryError::of(error, &self.url, what()));
        count(match &result {
            Ok(_) => "ok",
            Err(error) if error.is_transient() => "away",
            Err(_) => "refused",
        });
        result
    }
}

fn count(result: &'static str) {
    metrics::counter!(metric::REQUESTS_TOTAL, "result" => result).increment(1);
    metrics::gauge!(metric::REACHABLE).set(if result == "away" { 0.0 } else { 1.0 });
}

fn builder(config: &RegistryConfig) -> Result<reqwest::ClientBuilder, RegistryError> {
    let mut builder = reqwest::Client::builder()
        .timeout(config.timeout)
        .connect_timeout(config.timeout)
        // A registry that came back on another address must be found.
        .pool_idle_timeout(Duration::from_secs(30));
    if let Some(path) = &config.ca {
        let bad = |error: &dyn std::fmt::Display| {
            RegistryError::Config(format!("certificates of the registry in {}: {error}", path.display()))
        };
        let pem = fs::read(path).map_err(|e| bad(&e))?;
        let certificates = reqwest::Certificate::from_pem_bundle(&pem).map_err(|e| bad(&e))?;
        builder = certificates
            .into_iter()
            .fold(builder, reqwest::ClientBuilder::add_root_certificate);
    }
    Ok(builder)
}
