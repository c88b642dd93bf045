//! The letters that a PDF shows, embedded.

use crate::figures::font::Weight;
use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Filter, Finish, Name, Pdf, Rect, Ref, Str};
use std::collections::BTreeMap;
use subsetter::GlyphRemapper;

/// How hard streams are packed, of ten.
const EFFORT: u8 = 6;

/// What fonts that are not symbols are called in a PDF.
const IDENTITY: SystemInfo<'_> = SystemInfo {
    registry: Str(b"Adobe"),
    ordering: Str(b"Identity"),
    supplement: 0,
};

/// The letters of one weight that are shown.
#[derive(Debug, Default)]
pub(super) struct Letters {
    numbers: GlyphRemapper,
    /// By their number in the subset: the character and its advance.
    shown: BTreeMap<u16, (char, u16)>,
}

impl Letters {
    /// The numbers of the glyphs of `words`, two bytes each.
    pub(super) fn codes(&mut self, weight: Weight, words: &str) -> Vec<u8> {
        let mut codes = Vec::new();
        for letter in words.chars() {
            let code = self.numbers.remap(weight.glyph(letter).0);
            let advance = weight.advance(letter);
            self.shown.entry(code).or_insert((letter, advance));
            codes.extend(code.to_be_bytes());
        }
        codes
    }

    /// Embeds them as `font`: a font of glyphs with numbers (ISO 32000-1, 9.7).
    pub(super) fn embed(
        &self,
        pdf: &mut Pdf,
        weight: Weight,
        font: Ref,
        next: &mut impl FnMut() -> Ref,
    ) {
        let (glyphs, descriptor, file, characters) = (next(), next(), next(), next());
        let full = full_name(weight);
        let base = Name(full.as_bytes());
        let face = weight.face();
        let thousandths = |parts: f32| parts * 1000.0 / weight.units() as f32;
        pdf.type0_font(font)
            .base_font(base)
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(glyphs)
            .to_unicode(characters);
        let mut cid = pdf.cid_font(glyphs);
        cid.subtype(CidFontType::Type2)
            .base_font(base)
            .system_info(IDENTITY)
            .font_descriptor(descriptor)
            .default_width(0.0)
            .cid_to_gid_map_predefined(Name(b"Identity"));
        let mut widths = cid.widths();
        for (code, (_, advance)) in &self.shown {
            widths.consecutive(*code, [thousandths(f32::from(*advance))]);
        }
        widths.finish();
        cid.finish();
        let bounds = face.global_bounding_box();
        let bounds = [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max];
        let [left, bottom, right, top] = bounds.map(|edge| thousandths(f32::from(edge)));
        let capital = face.capital_height().unwrap_or(face.ascender());
        pdf.font_descriptor(descriptor)
            .name(base)
            .flags(FontFlags::SYMBOLIC)
            .bbox(Rect::new(left, bottom, right, top))
            .italic_angle(0.0)
            .ascent(thousandths(f32::from(face.ascender())))
            .descent(thousandths(f32::from(face.descender())))
            .cap_height(thousandths(f32::from(capital)))
            .stem_v(match weight {
                Weight::Regular => 80.0,
                Weight::Bold => 150.0,
            })
            .font_file2(file);
        let mut map = UnicodeCmap::new(Name(b"Letters"), IDENTITY);
        for (code, (letter, _)) in &self.shown {
            map.pair(*code, *letter);
        }
        pdf.stream(characters, &map.finish());
        let subset = subsetter::subset(weight.bytes(), 0, &self.numbers);
        let subset = subset.expect("the font is part of the program");
        let packed = miniz_oxide::deflate::compress_to_vec_zlib(&subset, EFFORT);
        let mut stream = pdf.stream(file, &packed);
        stream.filter(Filter::FlateDecode);
        stream.pair(Name(b"Length1"), subset.len() as i32);
    }
}

/// A part of a font has six letters before its name.
fn full_name(weight: Weight) -> &'static str {
    match weight {
        Weight::Regular => "AIRLOO+DejaVuSans",
        Weight::Bold => "AIRLOO+DejaVuSans-Bold",
    }
}
