window.orejimeConfig = {
  privacyPolicyUrl: '/privacy',
  purposes: [
    {
      id: 'statistics',
      title: 'Statistics',
      description: 'Counts visits, so that we see which pages are read.',
      cookies: ['_visits'],
    },
    {
      id: 'videos',
      title: 'Videos',
      description: 'Shows videos of another site in our pages.',
      cookies: ['_player'],
    },
    {
      id: 'advertising',
      title: 'Advertising',
      description: 'Shows advertisements and counts how often.',
      cookies: ['_ads'],
    },
  ],
};
