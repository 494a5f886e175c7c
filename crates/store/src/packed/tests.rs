//! What packing and unpacking have to do for each other.

use std::os::unix::fs::FileExt as _;

use super::base::family;
use super::description::Base;
use super::*;
use fs_err::File;
use sha2::{Digest as _, Sha256};

/// Bytes that hardly compress, the same for the same seed.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..length).map(|_| random.u8(..)).collect()
}

fn read(object: &[u8]) -> (Label, Description) {
    let label = Label::read(object).unwrap();
    let text = &object[LABEL_BYTES..LABEL_BYTES + label.description];
    let description = Description::read(&label, text).unwrap();
    (label, description)
}

/// Unpacks an object and, where it has one, the frames that its base's object has of it.
fn unpack(object: &[u8], base: &[u8]) -> Result<Vec<u8>, UnpackError> {
    let (label, description) = read(object);
    let file = File::from_parts(tempfile::tempfile().unwrap(), "test");
    file.set_len(description.size).unwrap();
    let mut unpacker = Unpacker::new().unwrap();
    let start = LABEL_BYTES + label.description;
    let base_frames = description.base.iter().flat_map(|base| &base.frames);
    let own = description.frames.iter().enumerate().map(|frame| (frame, object, start, false));
    let base = base_frames.enumerate().map(|frame| (frame, base, 0, true));
    // The base first, as patches are of it.
    for ((number, frame), object, start, of_base) in base.chain(own) {
        let at = start + usize::try_from(frame.at).unwrap();
        let stored = object.get(at..at + frame.stored as usize).unwrap_or_default();
        let pieces = description.references.iter().chain(&description.pieces).copied();
        let pieces = pieces.filter(|piece| match piece.from {
            From::Own { frame } => !of_base && frame as usize == number,
            From::Base { frame, .. } => of_base && frame as usize == number,
        });
        frame.check(stored)?;
        unpacker.unpack((frame, stored), &pieces.collect::<Vec<_>>(), &file)?;
    }
    let mut bytes = vec![0; usize::try_from(description.size).unwrap()];
    file.file().read_exact_at(&mut bytes, 0).unwrap();
    Ok(bytes)
}

fn blocks(object: &[u8]) -> BaseBlocks {
    let (label, description) = read(object);
    let list = description.list(&label).unwrap();
    let list = &object[usize::try_from(list.start).unwrap()..];
    let hot = &object[LABEL_BYTES + label.description..];
    BaseBlocks::new("its component", (&label, &description), (list, hot)).unwrap()
}

#[test]
fn comes_back_as_it_was() {
    let gaps = [noise(1, 5000), vec![0; 700_000], noise(2, 300_001)].concat();
    for bytes in [Vec::new(), b"x".to_vec(), vec![0; 10_000], gaps, noise(3, 3_000_000)] {
        let (object, artifact) = pack(&bytes, &[], None).unwrap();
        assert_eq!(unpack(&object, &[]).unwrap(), bytes);
        assert_eq!(
            (artifact.size, artifact.stored_size),
            (bytes.len() as u64, object.len() as u64)
        );
        assert_eq!(Label::read(&object).unwrap().artifact, artifact);
    }
}

#[test]
fn empty_blocks_take_no_place() {
    let (object, _) = pack(&vec![0; 50_000_000], &[], None).unwrap();
    assert!(object.len() < 200, "{}", object.len());
}

#[test]
fn what_a_base_has_is_not_stored_again() {
    let first = [noise(1, 2_500_000), vec![0; 1_000_000], noise(2, 500_000)].concat();
    let (base, described) = pack(&first, &[], None).unwrap();
    // One block altered, one emptied, some moved to another place, and something new at the end.
    let mut second = first.clone();
    second[40_960] ^= 1;
    second[81_920..86_016].fill(0);
    second.extend(noise(3, 12_288));
    second.resize(second.len().next_multiple_of(4096), 0);
    second.extend(&first[409_600..450_560]);
    let (object, _) = pack(&second, &[], Some(&blocks(&base))).unwrap();
    assert!(object.len() < 30_000, "{}", object.len());
    assert_eq!(unpack(&object, &base).unwrap(), second);
    let (_, description) = read(&object);
    let Base { component, digest, .. } = description.base.unwrap();
    assert_eq!((component.as_str(), digest), ("its component", described.digest));
    assert!(description.blocks.is_none());
}

#[test]
fn what_a_first_call_touches_comes_first_in_frames_of_its_own() {
    let bytes = [noise(1, 1_000_000), vec![0; 1_000_000], noise(2, 1_000_000)].concat();
    let hot = [8192..12_288, 500_000..500_001, 1_499_136..1_507_328, 2_500_000..2_700_000];
    let (object, _) = pack(&bytes, &hot, None).unwrap();
    assert_eq!(unpack(&object, &[]).unwrap(), bytes);
    let (_, description) = read(&object);
    let is_hot = |piece: &Piece| match piece.from {
        From::Own { frame } => description.frames[frame as usize].hot,
        From::Base { .. } => false,
    };
    let brought = description.pieces.iter().filter(|piece| is_hot(piece));
    let brought: u64 = brought.map(|piece| u64::from(piece.length)).sum();
    // A block each for the first two, 200,000 bytes in 50 blocks.
    assert_eq!(brought, 52 * 4096);
    let sorted = description.frames.iter().map(|frame| !frame.hot);
    assert!(sorted.is_sorted(), "{:?}", description.frames);
    assert_eq!(description.hot_zeros, [Zeros { at: 1_499_136, length: 8192 }]);
}

#[test]
fn of_a_base_only_the_frames_with_touched_blocks_are_hot() {
    let first = noise(1, 3_000_000);
    let (base, _) = pack(&first, std::slice::from_ref(&(0..4096)), None).unwrap();
    let mut second = first.clone();
    second.extend(noise(2, 100_000));
    let (object, _) =
        pack(&second, &[0..4096, 2_000_000..2_004_096], Some(&blocks(&base))).unwrap();
    assert_eq!(unpack(&object, &base).unwrap(), second);
    let (_, description) = read(&object);
    let hot = description.base.iter().flat_map(|base| &base.frames).filter(|frame| frame.hot);
    assert_eq!(hot.count(), 1);
    // What the base's own first call does not touch, two blocks, is stored again.
    let hot: u32 = description.frames.iter().filter(|frame| frame.hot).map(|it| it.size).sum();
    assert_eq!(hot, 8192);
}

#[test]
fn what_is_nearly_the_bases_is_a_patch_of_it() {
    let first = noise(1, 3_000_000);
    let hot = [0..4096, 400_000..1_400_000];
    let (base, _) = pack(&first, &hot, None).unwrap();
    let mut second = first.clone();
    // A word in each block that a first call touches and one that is new; one that is touched and not by the base's, too.
    for block in second[400_000..1_400_000].chunks_mut(4096) {
        block[100..104].fill(7);
    }
    second[800_000..810_000].copy_from_slice(&noise(2, 10_000));
    second[2_000_000] ^= 1;
    let hot = [0..4096, 400_000..1_400_000, 2_000_000..2_000_001];
    let (object, artifact) = pack(&second, &hot, Some(&blocks(&base))).unwrap();
    assert!(artifact.start_size < 40_000, "{artifact:?}");
    assert_eq!(unpack(&object, &base).unwrap(), second);
    let (_, description) = read(&object);
    let patches = description.frames.iter().filter(|frame| frame.patch);
    assert_eq!(patches.clone().count(), 4);
    assert!(patches.clone().all(|frame| frame.hot));
    let base_frames = &description.base.as_ref().unwrap().frames;
    let are_hot = description.references.iter().all(|reference| match reference.from {
        From::Base { frame, .. } => base_frames[frame as usize].hot,
        From::Own { .. } => false,
    });
    assert!(are_hot && !description.references.is_empty());
    // Of another base, which is none of its own, nothing comes.
    let (other, _) = pack(&noise(3, 3_000_000), &hot, None).unwrap();
    assert!(unpack(&object, &other).is_err());
}

#[test]
fn a_base_with_little_in_common_is_left_alone() {
    let (base, _) = pack(&noise(1, 3_000_000), &[], None).unwrap();
    let other = [&noise(1, 3_000_000)[..600_000], &noise(2, 2_400_000)].concat();
    let (object, _) = pack(&other, &[], Some(&blocks(&base))).unwrap();
    assert_eq!(read(&object).1.base, None);
    assert_eq!(unpack(&object, &[]).unwrap(), other);
}

#[test]
fn a_family_is_of_those_that_begin_alike_and_are_large() {
    let one = noise(1, 2_200_000);
    let mut other = one.clone();
    // The app's own part, and what says where it ends.
    other[1_500_000] ^= 1;
    other[42] ^= 1;
    other.extend(vec![1; 65_536]);
    assert_eq!(family(&one), family(&other));
    other[5_000] ^= 1;
    assert_ne!(family(&one), family(&other));
    assert_eq!(family(&one[..2_000_000]), None);
}

#[test]
fn a_patch_needs_all_that_it_is_of() {
    let first = noise(1, 3_000_000);
    let hot = [0..200_000, 200_000..400_000];
    let (base, _) = pack(&first, &hot, None).unwrap();
    let mut second = first.clone();
    second[..400_000].chunks_mut(4096).for_each(|block| block[100] ^= 1);
    let (object, _) = pack(&second, &hot, Some(&blocks(&base))).unwrap();
    let (label, description) = read(&object);
    let refused = |change: fn(&mut Description)| {
        let mut changed = description.clone();
        change(&mut changed);
        let text = changed.to_bytes().unwrap();
        let digest = hex(&Sha256::digest(&text));
        let artifact = StoredArtifact { digest, ..label.artifact.clone() };
        let label = Label { artifact, description: text.len() };
        Description::read(&label, &text).unwrap_err().to_string()
    };
    for change in [
        (|it| it.references.clear()) as fn(&mut Description),
        (|it| it.references[0].length -= 4096),
        (|it| {
            it.references.remove(0);
        }),
        (|it| it.references[0].from = From::Own { frame: 0 }),
        (|it| it.frames[0].hot = false),
        (|it| it.base.as_mut().unwrap().frames[0].hot = false),
    ] {
        let why = refused(change);
        assert!(why.contains("a patch of nothing") || why.contains("beyond"), "{why}");
    }
}

#[test]
fn an_altered_frame_or_description_is_damage() {
    let (object, _) = pack(&noise(1, 400_000), &[], None).unwrap();
    let (label, _) = read(&object);
    let mut altered = object.clone();
    *altered.last_mut().unwrap() ^= 1;
    assert!(matches!(unpack(&altered, &[]), Err(UnpackError::Damaged(_))));
    assert!(matches!(unpack(&object[..object.len() - 1], &[]), Err(UnpackError::Damaged(_))));
    let mut text = object[LABEL_BYTES..LABEL_BYTES + label.description].to_vec();
    text[0] ^= 1;
    assert!(matches!(Description::read(&label, &text), Err(UnpackError::Damaged(_))));
    assert_eq!(Label::read(&object[..LABEL_BYTES - 1]), None);
    assert_eq!(Label::read(&[7; 100]), None);
}

#[test]
fn a_description_that_makes_no_sense_is_refused_before_anything_is_fetched() {
    let (object, _) = pack(&noise(1, 600_000), &[], None).unwrap();
    let (_, whole) = read(&object);
    let refused = |change: fn(&mut Description)| {
        let mut description = whole.clone();
        change(&mut description);
        let text = description.to_bytes().unwrap();
        let digest = Sha256::digest(&text).into();
        let label =
            Label::read(&Label::write(&digest, [description.size, 0, 0], text.len())).unwrap();
        match Description::read(&label, &text) {
            Err(UnpackError::Damaged(why)) => why,
            other => format!("{other:?}"),
        }
    };
    for (change, expected) in [
        ((|it| it.frames[1].at = 3) as fn(&mut Description), "frames that overlap"),
        (|it| it.frames[2].at = u64::MAX, "frames that overlap"),
        (|it| it.frames[0].size = 1 << 30, "an oversized frame"),
        (|it| it.pieces[0].from = From::Own { frame: 9 }, "a piece of no frame"),
        (|it| it.pieces[0].from = From::Base { frame: 0, at: 0 }, "a piece of no frame"),
        (|it| it.pieces[0].length += 1, "a piece beyond its frame"),
        (|it| it.pieces[1].at -= 1, "pieces that overlap"),
        (|it| it.size -= 1, "a piece beyond the end"),
    ] {
        let why = refused(change);
        assert!(why.contains(expected), "{why} instead of {expected}");
    }
}
