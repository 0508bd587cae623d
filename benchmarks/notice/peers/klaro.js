var klaroConfig = {
  version: 1,
  acceptAll: true,
  lang: 'en',
  translations: {
    zz: { privacyPolicyUrl: '/privacy' },
    en: {
      statistics: { description: 'Counts visits, so that we see which pages are read.' },
      videos: { description: 'Shows videos of another site in our pages.' },
      advertising: { description: 'Shows advertisements and counts how often.' },
      purposes: { statistics: 'Statistics', videos: 'Videos', advertising: 'Advertising' },
    },
  },
  services: [
    { name: 'statistics', title: 'Statistics', purposes: ['statistics'], cookies: ['_visits'] },
    { name: 'videos', title: 'Videos', purposes: ['videos'], cookies: ['_player'] },
    { name: 'advertising', title: 'Advertising', purposes: ['advertising'], cookies: ['_ads'] },
  ],
};
