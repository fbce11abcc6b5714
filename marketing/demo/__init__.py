"""The main job from patients to second mails, headless: `manage.py demo`."""
