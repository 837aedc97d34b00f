//! What stands on the screen after a login.

use std::net::IpAddr;

use super::chassis::Chassis;
use super::show::{line, rule};
use super::stamp::Stamp;

/// A login that the password let in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Login {
    /// From where.
    pub(crate) from: IpAddr,
    /// `SSH` or `Telnet`.
    pub(crate) way: &'static str,
    /// Whether the limit on sessions leaves room.
    pub(crate) admitted: bool,
}

impl Login {
    /// The banner with the tables of the last and the last failed login; or why there is no session.
    pub(crate) fn text(&self, chassis: &Chassis, now: Stamp) -> String {
        if !self.admitted {
            return "\n  Reenter times have reached the upper limit.\n".to_owned();
        }
        let Self { from, way, .. } = self;
        let (dates, family) = (chassis.dates(), chassis.firmware.family());
        let mut out = String::new();
        line!(out);
        line!(out, "  Huawei Integrated Access Software ({family}).");
        line!(
            out,
            "  Copyright(C) Huawei Technologies Co., Ltd. 2002-2018. All rights reserved."
        );
        line!(out);
        rule(&mut out, 77);
        line!(out, "  User last login information:");
        rule(&mut out, 77);
        line!(out, "  Access Type : {way}");
        line!(out, "  IP-Address  : {from}");
        line!(out, "  Login  Time : {}", now.plus(-3_660).long(dates));
        line!(out, "  Logout Time : {}", now.plus(-60).long(dates));
        rule(&mut out, 77);
        line!(out);
        rule(&mut out, 77);
        line!(out, "  User fail login information:");
        rule(&mut out, 77);
        line!(out, "  Last Access Type : {way}");
        line!(out, "  Last IP-Address  : {from}");
        line!(out, "  Last Login  Time : {}", now.plus(-86_400).long(dates));
        line!(out, "  Login Failure Times : 1");
        rule(&mut out, 77);
        out
    }
}
