throw new Error('no workflow under test has an app');
