//! The pages of lists, for the description of the API.

use utoipa::ToSchema;

use crate::faces::json::{
    AttemptJson, EventJson, ImageJson, MessageJson, SetJson, SourceJson, VersionJson,
};

macro_rules! pages {
    ($($name:ident as $word:ident { $field:ident: $item:ident };)+) => {$(
        /// A page of a list.
        #[derive(ToSchema)]
        #[schema(as = $word)]
        #[expect(dead_code, reason = "the schema of what `list::page` writes")]
        pub(super) struct $name<'a> {
            $field: Vec<$item<'a>>,
            /// The `after` of the next page; null on the last one.
            next: Option<String>,
        }
    )+};
}

pages! {
    AttemptPageJson as AttemptPage { attempts: AttemptJson };
    EventPageJson as EventPage { events: EventJson };
    ImagePageJson as ImagePage { images: ImageJson };
    MessagePageJson as MessagePage { messages: MessageJson };
    SetPageJson as SetPage { sets: SetJson };
    SourcePageJson as SourcePage { sources: SourceJson };
    VersionPageJson as VersionPage { versions: VersionJson };
}
