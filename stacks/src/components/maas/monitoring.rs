//! What watches the gateway of MaaS.

use crate::{
    components::{Context, draft::Draft},
    stack::Maas,
};

pub(super) fn resources(_: &Context<'_>, _: &Maas) -> Vec<Draft> {
    Vec::new()
}
