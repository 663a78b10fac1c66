throw new Error('no workflow under test builds an image');
